#!/usr/bin/env python3
"""Makes C++ out of the schemas: generate.py SCHEMA_FOLDER OUTPUT_FOLDER [--list]

For each schema file wire/messages/<file>.h and .cc, and for all of them wire/api_key.h and wire/messages/all.cc.
A file is written only if its content changes. --list prints the .cc files, for CMake, and writes nothing.
"""
import pathlib
import sys

import schema
from schema import NEVER, OPEN, PRIMITIVES, SchemaError, inside, snake

# primitive -> (C++ type, Reader and Writer method, bytes on the wire if fixed, Kind)
TYPES = {
    "bool": ("bool", "boolean", 1, "boolean"),
    "int8": ("int8_t", "i8", 1, "i8"),
    "int16": ("int16_t", "i16", 2, "i16"),
    "uint16": ("uint16_t", "u16", 2, "u16"),
    "int32": ("int32_t", "i32", 4, "i32"),
    "uint32": ("uint32_t", "u32", 4, "u32"),
    "int64": ("int64_t", "i64", 8, "i64"),
    "float64": ("double", "f64", 8, "f64"),
    "uuid": ("Uuid", "uuid", 16, "uuid"),
    "string": ("std::string_view", "string", None, "string"),
    "bytes": ("Bytes", "bytes", None, "bytes"),
    "records": ("Records", "records", None, "records"),
}
ARRAYS = {"int8": "numbers", "int16": "numbers", "int32": "numbers", "int64": "numbers", "uuid": "uuids",
          "string": "strings"}
KEYWORDS = {"default", "operator", "register", "private", "public", "new", "delete", "class", "union", "namespace"}
RELEASES = ("3.9", "4.3", "4.4")
LISTENERS = {"broker": "kBrokerListener", "controller": "kControllerListener"}


def ident(name):
    return name + "_" if name in KEYWORDS else name


def integer(text):
    """A default as C++; "true" is one."""
    if text == "true":
        return text
    return "std::numeric_limits<int32_t>::min()" if int(text) == -2**31 else text


class MessageCode:
    """The C++ of one message."""

    def __init__(self, message):
        self.m = message
        self.low, self.high = message.versions
        self.has_flexible = message.flexible != NEVER

    # --- conditions on the version v ---

    def when(self, r):
        """C++ condition for "v is inside r"; None if that is always so."""
        parts = []
        if r[0] > self.low:
            parts.append(f"v >= {r[0]}")
        if r[1] < self.high:
            parts.append(f"v <= {r[1]}")
        if len(parts) == 2 and r[0] == r[1]:
            parts = [f"v == {r[0]}"]
        return " && ".join(parts) or None

    def nullable(self, f):
        if f.null == NEVER:
            return "false"
        return "true" if f.null == f.versions else self.when(f.null) or "true"

    def flexible(self, f):
        return "false" if f.classic else "flexible"

    # --- sizes ---

    def size_at(self, f, version):
        """The fewest bytes that field f takes in a version that has it."""
        compact = inside(version, self.m.flexible) and not f.classic
        if f.array or f.type in ("bytes", "records"):
            return 1 if compact else 4
        if f.type == "string":
            return 1 if compact else 2
        if f.type in PRIMITIVES:
            return TYPES[f.type][2]
        return 1 if inside(version, f.null) else self.struct_size_at(self.m.structs[f.type], version)

    def struct_size_at(self, struct, version):
        tags = 1 if inside(version, self.m.flexible) else 0
        return tags + sum(self.size_at(f, version) for f in struct.fields
                          if f.tag is None and inside(version, f.versions))

    def element_size(self, f):
        """C++ expression: the fewest bytes that an element of array f takes."""
        struct = self.m.structs[f.type]
        sizes = {True: [], False: []}
        for version in range(f.versions[0], f.versions[1] + 1):
            sizes[inside(version, self.m.flexible)].append(self.struct_size_at(struct, version))
        least = {k: min(v) for k, v in sizes.items() if v}
        if 0 in least.values():
            raise SchemaError(f"{self.m.name}.{f.name}: elements of no bytes cannot be bounded by what was received")
        values = sorted(set(least.values()))
        return str(values[0]) if len(values) == 1 else f"flexible ? {least[True]} : {least[False]}"

    # --- declarations ---

    def base_type(self, f):
        return TYPES[f.type][0] if f.type in PRIMITIVES else f.type

    def pointer(self, f):
        return f.type not in PRIMITIVES and not f.array and f.null != NEVER

    def cpp_type(self, f):
        base = self.base_type(f)
        if f.array:
            return f"Array<{base}>"
        if self.pointer(f):
            return f"const {base}*"
        if f.null != NEVER and f.type in ("string", "bytes"):
            return {"string": "NullableString", "bytes": "NullableBytes"}[f.type]
        return base

    def initial(self, f):
        if self.pointer(f):
            return " = nullptr" if f.default == "null" else f" = &kDefault<{f.type}>"
        if f.default == "null":
            return f" = {self.cpp_type(f)}::null()" if f.array else ""
        if f.array or f.type in ("uuid", "records") or f.type not in PRIMITIVES:
            return ""
        if f.type in ("string", "bytes"):
            return f" = {self.base_type(f)}()" if f.null != NEVER else ""
        zero = "false" if f.type == "bool" else "0"
        return " = " + (integer(f.default) if f.default is not None else zero)

    def note(self, f):
        """What a user of the struct must know of the field's versions."""
        parts = []
        if self.when(f.versions):
            parts.append("versions " + schema.show_range(f.versions, self.m.versions))
        if f.null != NEVER and f.null != f.versions:
            parts.append("may be null " + schema.show_range(f.null, self.m.versions))
        if f.tag is not None:
            parts.append(f"tag {f.tag}")
        return "  // " + ", ".join(parts) if parts else ""

    def declare(self, struct, indent):
        pad = " " * indent
        out = [f"{pad}{self.cpp_type(f)} {ident(f.name)}{self.initial(f)};{self.note(f)}" for f in struct.fields]
        if self.has_flexible:
            out.append(f"{pad}Array<RawTag> unknown_tags;")
        out += [f"{pad}void read(Reader& r, int16_t v);", f"{pad}void write(Writer& w, int16_t v) const;",
                f"{pad}bool operator==(const {struct.name}& o) const;"]
        return out

    def header(self):
        m = self.m
        out = [f"struct {m.name} {{"]
        if m.kind in ("request", "response"):
            out.append(f"  static constexpr ApiKey kApiKey = ApiKey::{snake(m.name.removesuffix(m.kind.capitalize()))};")
        first = m.flexible[0] if self.has_flexible else OPEN
        out.append(f"  static constexpr int16_t kMinVersion = {self.low}, kMaxVersion = {self.high}, "
                   f"kFirstFlexible = {first};")
        out.append("  static const MessageInfo kInfo;")
        for struct in m.structs.values():
            out += ["", f"  struct {struct.name} {{"] + self.declare(struct, 4) + ["  };"]
        out += [""] + self.declare(m.body, 2) + ["};", ""]
        return out

    # --- reading ---

    def read_field(self, f, label):
        x, flexible, null = ident(f.name), self.flexible(f), self.nullable(f)
        if f.array and f.type in PRIMITIVES:
            if f.type not in ARRAYS:
                raise SchemaError(f"{self.m.name}.{f.name}: no arrays of {f.type}")
            return f"r.{ARRAYS[f.type]}({x}, {label}, {flexible}, {null});"
        if f.array:
            return f"r.structs({x}, r.count({label}, {flexible}, {null}, {self.element_size(f)}), v);"
        if self.pointer(f):
            present = f"r.present({label}, {null})" if f.tag is None else f"r.present_in_tag({label})"
            return f"{x} = {present} ? r.one<{f.type}>(v) : nullptr;"
        if f.type not in PRIMITIVES:
            return f"{x}.read(r, v);"
        if f.type == "records":
            return f"{x} = r.records({label}, {flexible}, {null});"
        if f.type in ("string", "bytes") and f.null != NEVER:
            return f"{x} = r.nullable_{f.type}({label}, {flexible}, {null});"
        if f.type in ("string", "bytes"):
            return f"{x} = r.{f.type}({label}, {flexible});"
        return f"{x} = r.{TYPES[f.type][1]}({label});"

    def flexible_constant(self, body):
        if not any("flexible" in line for line in body):
            return []
        condition = self.when(self.m.flexible) if self.has_flexible else "false"
        return [f"  const bool flexible = {condition or 'true'};"]

    def guarded(self, condition, lines, indent="  "):
        if condition is None:
            return [indent + line for line in lines]
        if len(lines) == 1 and not lines[0].startswith("if"):
            return [f"{indent}if ({condition}) {lines[0]}"]
        return [f"{indent}if ({condition}) {{"] + [f"{indent}  {line}" for line in lines] + [f"{indent}}}"]

    def read(self, struct, full_name):
        body = []
        for f in struct.fields:
            if f.tag is None:
                body += self.guarded(self.when(f.versions), [self.read_field(f, f'"{struct.name}.{f.name}"')])
        if self.has_flexible:
            tagged = [f for f in struct.fields if f.tag is not None]
            lines = self.read_tags(struct, tagged) if tagged else [
                f'unknown_tags = r.unknown_tags("{struct.name} tags");']
            body += self.guarded(self.when(self.m.flexible), lines)
        head = f"void {full_name}::read([[maybe_unused]] Reader& r, [[maybe_unused]] int16_t v) {{"
        return [head] + self.flexible_constant(body) + body + ["}"]

    def read_tags(self, struct, tagged):
        lines = [f'TagReader tags(r, "{struct.name} tags");', "while (tags.next()) {", "  switch (tags.tag()) {"]
        for f in sorted(tagged, key=lambda f: f.tag):
            condition = self.when(schema.cut(f.versions, self.m.flexible))
            if condition == self.when(self.m.flexible):
                condition = None
            lines.append(f"    case {f.tag}:")
            if condition:
                lines += [f"      if (!({condition})) {{", "        tags.keep();", "        break;", "      }"]
            lines += ["      " + self.read_field(f, f'"{struct.name}.{f.name}"'), "      break;"]
        return lines + ["    default: tags.keep();", "  }", "}", "unknown_tags = tags.unknown();"]

    # --- writing ---

    def write_field(self, f, w="w"):
        x, flexible, null = ident(f.name), self.flexible(f), self.nullable(f)
        if f.array and f.type in PRIMITIVES:
            return [f"{w}.{ARRAYS[f.type]}({x}, {flexible}, {null});"]
        if f.array:
            return [f"{w}.count({x}, {flexible}, {null});", f"{w}.structs({x}, v);"]
        if self.pointer(f):
            present = f"present({x} != nullptr, {null})" if f.tag is None else f"present_in_tag({x} != nullptr)"
            return [f"if ({w}.{present}) ({x} ? *{x} : kDefault<{f.type}>).write({w}, v);"]
        if f.type not in PRIMITIVES:
            return [f"{x}.write({w}, v);"]
        if f.type == "records":
            return [f"{w}.records({x}, {flexible}, {null});"]
        if f.type in ("string", "bytes") and f.null != NEVER:
            return [f"{w}.nullable_{f.type}({x}, {flexible}, {null});"]
        if f.type in ("string", "bytes"):
            return [f"{w}.{f.type}({x}, {flexible});"]
        return [f"{w}.{TYPES[f.type][1]}({x});"]

    def differs(self, f):
        """C++ condition: the tagged field is not its default and so is written."""
        x = ident(f.name)
        if f.array:
            if f.default == "null":
                return f"!{x}.is_null()"
            return f"(!{x}.empty() || {x}.is_null())" if f.null != NEVER else f"!{x}.empty()"
        if self.pointer(f):
            return f"{x} != nullptr" if f.default == "null" else f"!({x} && *{x} == kDefault<{f.type}>)"
        if f.type not in PRIMITIVES:
            return f"!({x} == {f.type}{{}})"
        if f.type in ("string", "bytes"):
            if f.null == NEVER:
                return f"!{x}.empty()"
            return f"{x}.has_value()" if f.default == "null" else f"(!{x} || !{x}->empty())"
        if f.type == "uuid":
            return f"!{x}.is_zero()"
        if f.type == "bool":
            return f"!{x}" if f.default == "true" else x
        if f.type == "records":
            raise SchemaError(f"{self.m.name}.{f.name}: records cannot be tagged")
        return f"{x} != " + integer(f.default or "0")

    def write(self, struct, full_name):
        body = []
        for f in struct.fields:
            if f.tag is None:
                body += self.guarded(self.when(f.versions), self.write_field(f))
        if self.has_flexible:
            tagged = sorted((f for f in struct.fields if f.tag is not None), key=lambda f: f.tag)
            lines = self.write_tags(tagged) if tagged else ["w.tags(unknown_tags);"]
            body += self.guarded(self.when(self.m.flexible), lines)
        head = f"void {full_name}::write([[maybe_unused]] Writer& w, [[maybe_unused]] int16_t v) const {{"
        return [head] + self.flexible_constant(body) + body + ["}"]

    def write_tags(self, tagged):
        lines = []
        for f in tagged:
            condition = self.when(schema.cut(f.versions, self.m.flexible))
            if condition == self.when(self.m.flexible):
                condition = None
            lines.append(f"const bool has_{f.name} = " + (f"{condition} && " if condition else "") +
                         self.differs(f) + ";")
        count = " + ".join(f"size_t{{has_{f.name}}}" for f in tagged)
        lines.append(f"TagWriter tags(w, unknown_tags, {count});")
        for f in tagged:
            fixed = None if f.array or f.type not in PRIMITIVES else TYPES[f.type][2]
            lines.append(f"if (has_{f.name}) {{")
            if fixed:
                lines.append(f"  tags.begin({f.tag}, {fixed});")
            else:
                lines.append("  Writer measure;")
                lines += ["  " + line for line in self.write_field(f, "measure")]
                lines.append(f"  tags.begin({f.tag}, measure.size());")
            lines += ["  " + line for line in self.write_field(f)] + ["}"]
        return lines + ["tags.end();"]

    # --- comparing and describing ---

    def equal(self, struct, full_name):
        names = [ident(f.name) for f in struct.fields] + (["unknown_tags"] if self.has_flexible else [])
        terms = " &&\n         ".join(f"same({n}, o.{n})" for n in names) or "true"
        return [f"bool {full_name}::operator==([[maybe_unused]] const {struct.name}& o) const {{",
                f"  return {terms};", "}"]

    def info(self, struct, full_name):
        fields = []
        for f in struct.fields:
            kind = TYPES[f.type][3] if f.type in PRIMITIVES else "structure"
            inner = "nullptr" if f.type in PRIMITIVES else f"&k{f.type}Info"
            number = f.default if f.default and f.default not in ("null", "true") and f.type != "string" else "0"
            number = "1" if f.default == "true" else number
            yes = lambda b: "true" if b else "false"
            fields.append(
                f'    {{"{f.name}", Kind::{kind}, {yes(f.array)}, {yes(f.default == "null")}, '
                f"offsetof({full_name}, {ident(f.name)}), {f.versions[0]}, {f.versions[1]}, {f.null[0]}, {f.null[1]}, "
                f"{-1 if f.tag is None else f.tag}, {number}, {inner}}},")
        tags = f"offsetof({full_name}, unknown_tags)" if self.has_flexible else "kNoTags"
        span = "{}"
        out = []
        if fields:
            out = [f"constexpr FieldInfo k{struct.name}Fields[] = {{"] + fields + ["};"]
            span = f"k{struct.name}Fields"
        return out + [f'constexpr StructInfo k{struct.name}Info{{"{struct.name}", {span}, sizeof({full_name}), {tags},',
                      f"                                 [](void* at) {{ new (at) {full_name}; }}}};"]

    def source(self):
        m = self.m
        structs = [(s, f"{m.name}::{s.name}") for s in m.structs.values()] + [(m.body, m.name)]
        out = []
        for struct, full_name in structs:
            for part in (self.read, self.write, self.equal):
                out += part(struct, full_name) + [""]
        space = snake(m.name) + "_info"
        out += [f"namespace {space} {{", "namespace {"]
        for struct, full_name in structs:
            out += self.info(struct, full_name)
        out += ["}  // namespace", f"}}  // namespace {space}", ""]
        first = m.flexible[0] if self.has_flexible else OPEN
        out += [
            f"constinit const MessageInfo {m.name}::kInfo{{",
            f'    "{m.name}", MessageKind::{m.kind.replace("-", "_")}, {m.api_key}, {self.low}, {self.high}, {first},',
            f"    &{space}::k{m.name}Info,",
            f"    [](void* m, Reader& r, int16_t v) {{ static_cast<{m.name}*>(m)->read(r, v); }},",
            f"    [](const void* m, Writer& w, int16_t v) {{ static_cast<const {m.name}*>(m)->write(w, v); }},",
            f"    [](const void* a, const void* b) {{",
            f"      return *static_cast<const {m.name}*>(a) == *static_cast<const {m.name}*>(b);",
            "    }};",
            ""]
        return out


NOTICE = "// Generated by src/wire/generate.py from src/wire/schema/{}: change that, not this."


def header_file(file):
    out = [NOTICE.format(file.path.name), "#pragma once", '#include "wire/message.h"', "", "namespace moldau::wire {", ""]
    for message in file.messages:
        out += MessageCode(message).header()
    return out + ["}  // namespace moldau::wire"]


def source_file(file):
    out = [NOTICE.format(file.path.name), f'#include "wire/messages/{file.path.stem}.h"', "", "#include <cstddef>",
           "#include <limits>", "#include <new>", "", '#include "wire/info.h"', '#include "wire/reader.h"',
           '#include "wire/writer.h"', "", "namespace moldau::wire {", ""]
    for message in file.messages:
        out += MessageCode(message).source()
    return out + ["}  // namespace moldau::wire"]


def api_key_file(keys):
    out = [NOTICE.format("api_keys.txt"), "#pragma once", "#include <cstdint>", "", "namespace moldau::wire {", "",
           "enum class ApiKey : int16_t {"]
    out += [f"  {snake(name)} = {key}," for key, name in sorted(keys.items())]
    return out + ["};", f"constexpr int16_t kApiKeyCount = {max(keys) + 1};", "", "}  // namespace moldau::wire"]


def all_file(files, keys):
    """The tables of wire/info.h over everything that is described."""
    stems = [f.path.stem for f in files if f.messages]
    out = [NOTICE.format("*.txt"), '#include "wire/info.h"', ""] + [f'#include "wire/messages/{s}.h"' for s in stems]
    out += ["", "namespace moldau::wire {", "namespace {", "", "constinit const MessageInfo* const kMessages[] = {"]
    out += [f"    &{m.name}::kInfo," for f in files for m in f.messages]
    out += ["};", "", "constexpr ApiInfo kApis[] = {"]
    apis = {f.api.key: f for f in files if f.api}
    for key in range(max(keys) + 1):
        out.append(api_row(key, keys, apis.get(key)))
    out += ["};", "", "}  // namespace", "", "std::span<const MessageInfo* const> all_messages() { return kMessages; }",
            "std::span<const ApiInfo> all_apis() { return kApis; }", "", "}  // namespace moldau::wire"]
    return out


def api_row(key, keys, file):
    if file is None:
        return f'    {{ApiKey::{snake(keys[key])}, "{keys[key]}", nullptr, nullptr, 0, {{}}, {{}}}},'
    if file.api.name != keys[key]:
        raise SchemaError(f"{file.path.name}: API {key} is called {keys[key]} in api_keys.txt")
    listeners = " | ".join(LISTENERS[name] for name in file.api.listeners) or "0"
    ranges = []
    for line in RELEASES:
        (low, high), unstable = file.api.releases.get(line, (NEVER, False))
        ranges.append(f"{{{low}, {high}, {high - 1 if unstable else high}}}")
    return (f'    {{ApiKey::{snake(keys[key])}, "{keys[key]}", &{file.api.name}Request::kInfo, '
            f'&{file.api.name}Response::kInfo, {listeners}, {", ".join(ranges)}}},')


def write_if_changed(path, lines):
    text = "\n".join(lines) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main(arguments):
    folder, output = pathlib.Path(arguments[0]), pathlib.Path(arguments[1])
    messages = output / "wire" / "messages"
    if "--list" in arguments:
        sources = [p.stem for p in sorted(folder.glob("*.txt")) if p.stem != "api_keys"] + ["all"]
        print(";".join(str(messages / f"{s}.cc") for s in sources), end="")
        return 0
    try:
        files = schema.load(folder)
        keys = {k: name for f in files for k, name in f.keys.items()}
        write_if_changed(output / "wire" / "api_key.h", api_key_file(keys))
        for file in files:
            if file.messages:
                write_if_changed(messages / f"{file.path.stem}.h", header_file(file))
                write_if_changed(messages / f"{file.path.stem}.cc", source_file(file))
        write_if_changed(messages / "all.cc", all_file(files, keys))
    except SchemaError as e:
        print(f"generate.py: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
