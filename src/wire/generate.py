#!/usr/bin/env python3
"""Makes C++ from the schemas in schema/ (notation: docs/formats/schema-notation.md).

generate.py OUT: writes OUT/wire/messages/<api>.{h,cc}, OUT/wire/api_key.h, OUT/wire/apis.cc and, for tests,
OUT/wire/round_trip.cc. A file whose text did not change is left alone. Python's standard library only.
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
NUMBERS = {"bool": ("bool", "boolean", 1), "int8": ("int8_t", "int8", 1), "int16": ("int16_t", "int16", 2),
           "uint16": ("uint16_t", "uint16", 2), "int32": ("int32_t", "int32", 4), "uint32": ("uint32_t", "uint32", 4),
           "int64": ("int64_t", "int64", 8), "float64": ("double", "float64", 8), "uuid": ("Uuid", "uuid", 16)}
TEXTS = {"string": ("std::string_view", "string"), "bytes": ("Blob", "bytes"), "records": ("Records", "records")}


class Range:
    """Versions low..high; high is None for 'and later'."""

    def __init__(self, text):
        low, _, high = text.partition("-")
        if text.endswith("+"):
            low, high = text[:-1], None
        elif not high:
            high = low
        self.low, self.high = int(low), None if high is None else int(high)

    def cut(self, other):
        out = Range("0+")
        highs = [h for h in (self.high, other.high) if h is not None]
        out.low, out.high = max(self.low, other.low), min(highs) if highs else None
        return out

    def covers(self, other):
        return self.low <= other.low and (self.high is None or (other.high is not None and other.high <= self.high))

    def test(self, within):
        """C++ condition on v, given that v is in within; '' if always true."""
        if self.covers(within):
            return ""
        parts = [f"v >= {self.low}"] if self.low > within.low else []
        if self.high is not None and (within.high is None or self.high < within.high):
            parts.append(f"v <= {self.high}")
        return " && ".join(parts)


class Field:
    def __init__(self, words, where):
        self.wire_name, self.type, self.versions = words[0], words[1], Range(words[2])
        self.name = snake(self.wire_name)
        self.nullable = self.tag = self.tagged = self.default = None
        self.flexible, self.fields, rest = True, [], words[3:]
        while rest:
            word = rest.pop(0)
            if word == "nullable":
                self.nullable = Range(rest.pop(0))
            elif word == "tag":
                self.tag, self.tagged = int(rest.pop(0)), Range(rest.pop(0))
            elif word == "default":
                self.default = rest.pop(0)
            elif word == "flexible":
                self.flexible = rest.pop(0) != "none"
            elif word != "ignorable":
                sys.exit(f"{where}: unknown word '{word}'")
        self.array = self.type.startswith("[]")
        self.item = self.type.removeprefix("[]")
        self.struct = self.item not in NUMBERS and self.item not in TEXTS

    def optional(self):
        return self.nullable is not None and not self.array

    def item_type(self):
        return self.item if self.struct else NUMBERS.get(self.item, TEXTS.get(self.item))[0]

    def cpp_type(self):
        if self.array:
            return f"Array<{self.item_type()}>"
        return f"std::optional<{self.item_type()}>" if self.optional() else self.item_type()

    def initial(self):
        if self.array or self.struct or self.item == "uuid" or self.default in ("null", None) and self.item in TEXTS:
            return ""
        if self.optional() and self.default is None:
            return ""
        if self.item in TEXTS:
            return f' = "{self.default}"'
        return f" = {number(self.default, self.item)}"

    def is_default(self):
        x = f"x.{self.name}"
        if self.array:
            return f"{x}.empty() && !{x}.is_null()"
        if self.optional():
            return f"!{x}.has_value()" if self.default in (None, "null") else "false"
        return f"{x} == decltype({x})()" if self.struct or self.item == "uuid" or self.default is None \
            else f"{x} == {number(self.default, self.item)}"

    def min_size(self, message):
        """Bytes that the field takes at least, in any version of the message."""
        if self.tag is not None or not self.versions.covers(message.versions):
            return 0
        if self.array or self.item in TEXTS:
            return 1
        return sum(f.min_size(message) for f in message.structs[self.item]) if self.struct else NUMBERS[self.item][2]


class Message:
    """One body: a request, a response, or data of its own."""

    def __init__(self, name, versions, flexible):
        self.name, self.versions, self.flexible = name, versions, flexible
        self.fields, self.structs = [], {}   # structs in the order of definition, inner ones first

    def finish(self, fields):
        for field in fields:
            self.finish(field.fields)
            if field.fields:
                self.structs.setdefault(field.item, field.fields)

    def covers_flexible(self):
        if self.flexible is None:
            return "false"
        return self.flexible.test(self.versions) or "true"


class Api:
    def __init__(self, path):
        self.path, self.key, self.listeners, self.bodies = path, None, [], {}
        stack = []
        for number_, line in enumerate(path.read_text().splitlines(), 1):
            words, indent = line.split("#")[0].split(), len(line) - len(line.lstrip())
            if not words:
                continue
            where = f"{path.name}:{number_}"
            if indent == 0:
                stack = self.directive(words, where)
            elif words[0] == "struct":
                field = Field(["_", words[1], words[2]], where)
                stack = [(0, self.body.fields_of_structs), (indent, field.fields)]
                self.body.structs[words[1]] = field.fields
            else:
                field = Field(words, where)
                while len(stack) > 1 and stack[-1][0] >= indent:
                    stack.pop()
                stack[-1][1].append(field)
                stack.append((indent, field.fields))
        for body in self.bodies.values():
            body.finish(body.fields)

    def directive(self, words, where):
        match words:
            case ["api", key, name]:
                self.key, self.name = int(key), name
            case ["message", name]:
                self.name = name
            case ["versions", text]:
                self.versions = Range(text)
            case ["flexible", text]:
                self.flexible = None if text == "none" else Range(text)
            case ["listeners", *names]:
                self.listeners = names
            case ["request" | "response" | "data" as kind]:
                name = self.name + ("" if kind == "data" else kind.capitalize())
                self.body = self.bodies[kind] = Message(name, self.versions, self.flexible)
                return [(0, self.body.fields)]
            case _:
                sys.exit(f"{where}: '{' '.join(words)}' is no directive")
        return []


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def number(text, kind):
    if text is None:
        return "false" if kind == "bool" else "0"
    if kind == "bool":
        return text
    value = int(text, 0)
    if kind == "int64" and abs(value) > 2**31 - 1:
        return f"{value}LL"
    return f"{value + 1} - 1" if value == -2**31 else str(value)


# ---- header

def declare_struct(name, fields, indent):
    pad = "  " * indent
    out = [f"{pad}struct {name} {{"]
    for f in fields:
        out.append(f"{pad}  {f.cpp_type()} {f.name}{f.initial() or '{}'};")
    return out + [f"{pad}  TaggedFields unknown;   // tags that we do not know", f"{pad}  bool operator==(const {name}&) const = default;",
                  f"{pad}}};"]


def declare(message, api):
    out = [f"struct {message.name} {{"]
    if api.key is not None:
        out.append(f"  static constexpr ApiKey kKey{{{api.key}}};")
    out += [f"  static constexpr int16_t kMinVersion = {api.versions.low}, kMaxVersion = {api.versions.high};"]
    for name, fields in message.structs.items():
        out += declare_struct(name, fields, 1)
    body = declare_struct(message.name, message.fields, 0)
    out += body[1:-1]
    out += ["};",
            f"// Errors: truncated, invalid; the text names the field. version is one of the above.",
            f"Result<{message.name}> decode_{snake(message.name)}(Reader& r, int16_t version);",
            f"void encode(Writer& w, int16_t version, const {message.name}& message);", ""]
    return out


def header(api):
    stem = api.path.stem
    out = [f"// Generated from src/wire/schema/{api.path.name}. Do not edit.", "#pragma once", '#include "wire/types.h"',
           '#include "base/result.h"', '#include "wire/api_key.h"', "", "namespace moldau::wire {", "class Reader;", "class Writer;", ""]
    for message in api.bodies.values():
        out += declare(message, api)
    return out + ["}  // namespace moldau::wire"]


# ---- decode

def flexible_of(message, field):
    return message.covers_flexible() if field.flexible else "false"


def read_item(field, message, target):
    if field.struct:
        return f"read(r, v, {target});"
    quoted = f'"{field.name}"'
    if field.item in NUMBERS:
        return f"{target} = r.{NUMBERS[field.item][1]}({quoted});"
    return f"{target} = r.{TEXTS[field.item][1]}({flexible_of(message, field)}, {quoted});"


def read_field(field, message):
    target, quoted = f"x.{field.name}", f'"{field.name}"'
    if field.array:
        nullable = "false" if field.nullable is None else field.nullable.test(message.versions) or "true"
        least = max(1, sum(f.min_size(message) for f in message.structs[field.item])) if field.struct else \
            NUMBERS[field.item][2] if field.item in NUMBERS else 1
        item = read_item(field, message, "item")
        return [f"{target} = r.array<{scoped(message, field.item_type(), field)}>({flexible_of(message, field)}, {nullable}, {least}, {quoted});",
                f"for (auto& item : {target}) {item}"]
    if not field.optional():
        return [read_item(field, message, target)]
    if field.struct:
        return [f"if (r.int8({quoted}) >= 0) read(r, v, {target}.emplace());"]
    nullable = f"{target} = r.nullable_{TEXTS[field.item][1]}({flexible_of(message, field)}, {quoted});"
    test = field.nullable.test(message.versions)
    if not test:
        return [nullable]
    return [f"if ({test}) {nullable}", f"else {read_item(field, message, target)}"]


def scoped(message, name, field):
    return f"{message.name}::{name}" if field.struct else name


def guarded(test, lines):
    if not test:
        return lines
    if len(lines) == 1 and not lines[0].startswith("if"):
        return [f"if ({test}) {lines[0]}"]
    return [f"if ({test}) {{", *("  " + line for line in lines), "}"]


def reader_of(message, cpp_name, fields):
    body = []
    for f in fields:
        plain = f.versions.cut(message.versions)
        if f.tag is None:
            body += guarded(plain.test(message.versions), read_field(f, message))
    tagged = [f for f in fields if f.tag is not None]
    if message.flexible is not None:
        cases = []
        for f in tagged:
            cases += [f"case {f.tag}: {{", *("  " + line for line in read_field(f, message)), "  break;", "}"]
        loop = ["uint32_t tags = r.tag_count();",
                "std::span<TaggedField> unknown;", "size_t unknown_count = 0;",
                "for (uint32_t i = 0; i < tags && r.ok(); i++) {", "  Reader::Tag tag = r.begin_tag();", "  switch (tag.tag) {",
                *("    " + line for line in cases),
                "    default:",
                "      if (unknown.empty()) unknown = r.arena().array<TaggedField>(tags - i);",
                "      unknown[unknown_count++] = r.raw_tag(tag);",
                "  }", "  r.end_tag(tag);", "}", "x.unknown = unknown.first(unknown_count);"]
        body += guarded(message.flexible.test(message.versions), loop)
    return [f"void read(Reader& r, [[maybe_unused]] int16_t v, {cpp_name}& x) {{", *("  " + line for line in body), "}"]


# ---- encode

def write_item(field, message, source):
    if field.struct:
        return f"write(w, v, {source});"
    if field.item in NUMBERS:
        return f"w.{NUMBERS[field.item][1]}({source});"
    return f"w.{TEXTS[field.item][1]}({flexible_of(message, field)}, {source});"


def write_field(field, message):
    source = f"x.{field.name}"
    if field.array:
        null = f", {source}.is_null()" if field.nullable else ""
        return [f"w.array_size({flexible_of(message, field)}, {source}.size(){null});",
                f"for (const auto& item : {source}) {write_item(field, message, 'item')}"]
    if not field.optional():
        return [write_item(field, message, source)]
    if field.struct:
        return [f"w.int8({source} ? 1 : -1);", f"if ({source}) write(w, v, *{source});"]
    return [f"w.nullable_{TEXTS[field.item][1]}({flexible_of(message, field)}, {nullable_source(field, message)});"]


def nullable_source(field, message):
    """A null where the version cannot say null goes out as empty."""
    source, test = f"x.{field.name}", field.nullable.test(message.versions)
    if not test:
        return source
    return f"{source} || ({test}) ? {source} : std::optional<{field.item_type()}>({field.item_type()}())"


def writer_of(message, cpp_name, fields):
    body = []
    for f in fields:
        if f.tag is None:
            body += guarded(f.versions.cut(message.versions).test(message.versions), write_field(f, message))
    tagged = sorted((f for f in fields if f.tag is not None), key=lambda f: f.tag)
    if message.flexible is not None:
        lines = []
        for f in tagged:
            test = f.tagged.test(message.flexible.cut(message.versions))
            lines.append(f"bool has_{f.name} = {test + ' && ' if test else ''}!({f.is_default()});")
        count = " + ".join([f"has_{f.name}" for f in tagged] + ["x.unknown.size()"])
        lines.append(f"w.varint(static_cast<uint32_t>({count}));")
        for f in tagged:
            lines += [f"if (has_{f.name}) {{", "  Chain value;", "  Writer inner(value);",
                      "  [](Writer& w, [[maybe_unused]] int16_t v, const auto& x) {",
                      *("    " + line for line in write_field(f, message)), "  }(inner, v, x);",
                      f"  w.tag({f.tag}, std::move(value));", "}"]
        lines.append("w.raw_tags(x.unknown);")
        body += guarded(message.flexible.test(message.versions), lines)
    return [f"void write(Writer& w, [[maybe_unused]] int16_t v, const {cpp_name}& x) {{", *("  " + line for line in body), "}"]


def source(api):
    out = [f"// Generated from src/wire/schema/{api.path.name}. Do not edit.", f'#include "wire/messages/{api.path.stem}.h"', "",
           '#include "wire/reader.h"', '#include "wire/writer.h"', "", "namespace moldau::wire {", "namespace {"]
    for message in api.bodies.values():
        for name, fields in message.structs.items():
            out += reader_of(message, f"{message.name}::{name}", fields) + writer_of(message, f"{message.name}::{name}", fields)
        out += reader_of(message, message.name, message.fields) + writer_of(message, message.name, message.fields)
    out.append("}  // namespace")
    for message in api.bodies.values():
        out += [f"Result<{message.name}> decode_{snake(message.name)}(Reader& r, int16_t version) {{", f"  {message.name} x;",
                "  read(r, version, x);", "  if (!r.ok()) return r.error();", "  return x;", "}",
                f"void encode(Writer& w, int16_t version, const {message.name}& message) {{ write(w, version, message); }}"]
    return out + ["}  // namespace moldau::wire"]


# ---- tables and tests

def api_keys(apis):
    out = ["// Generated from src/wire/schema. Do not edit.", "#pragma once", "#include <cstdint>", "", "namespace moldau::wire {",
           "enum class ApiKey : int16_t {"]
    out += [f"  {snake(a.name)} = {a.key}," for a in apis]
    return out + ["};", "}  // namespace moldau::wire"]


def api_table(apis):
    out = ["// Generated from src/wire/schema. Do not edit.", '#include "wire/apis.h"', "", "namespace moldau::wire {", "namespace {",
           "constexpr ApiInfo kApis[] = {"]
    for a in apis:
        flexible = "INT16_MAX" if a.flexible is None else a.flexible.low
        out.append(f'    {{ApiKey::{snake(a.name)}, "{a.name}", {a.versions.low}, {a.versions.high}, {flexible}, '
                   f'{str("broker" in a.listeners).lower()}, {str("controller" in a.listeners).lower()}}},')
    return out + ["};", "}  // namespace", "std::span<const ApiInfo> all_apis() { return kApis; }", "}  // namespace moldau::wire"]


def fill_field(field, message):
    def item(target):
        if field.struct:
            return f"fill(f, v, {target});"
        return f"{target} = f.{NUMBERS[field.item][1] if field.item in NUMBERS else TEXTS[field.item][1]}();"
    target = f"x.{field.name}"
    if field.array:
        lines = [f"{target} = f.array<{scoped(message, field.item_type(), field)}>();", f"for (auto& item : {target}) {item('item')}"]
        null = f"{target} = decltype({target})::null();"
    elif field.optional() and field.struct:
        lines, null = [f"fill(f, v, {target}.emplace());"], f"{target}.reset();"
    else:
        lines, null = [item(target)], f"{target}.reset();"
    if field.nullable:
        test = field.nullable.cut(message.versions).test(message.versions)
        lines.append(f"if ({test + ' && ' if test else ''}f.one_in(4)) {null}")
    return lines


def filler_of(message, cpp_name, fields):
    body = []
    for f in fields:
        versions = (f.tagged or f.versions).cut(message.versions)
        body += guarded(versions.test(message.versions), fill_field(f, message))
    if message.flexible is not None:
        body += guarded(message.flexible.test(message.versions), ["x.unknown = f.unknown_tags();"])
    return [f"void fill(Filler& f, [[maybe_unused]] int16_t v, {cpp_name}& x) {{", *("  " + line for line in body), "}"]


def round_trips(apis):
    out = ["// Generated from src/wire/schema. Do not edit.", '#include "wire/round_trip.h"', "", '#include "wire/filler.h"']
    out += [f'#include "wire/messages/{a.path.stem}.h"' for a in apis] + ["", "namespace moldau::wire {", "namespace {"]
    table = []
    for a in apis:
        for message in a.bodies.values():
            for name, fields in message.structs.items():
                out += filler_of(message, f"{message.name}::{name}", fields)
            out += filler_of(message, message.name, message.fields)
            stem = snake(message.name)
            out += [f"Result<void> random_{stem}(Filler& f, int16_t v, Chain& out) {{", f"  {message.name} x;", "  fill(f, v, x);",
                    f"  return trip(x, v, &decode_{stem}, out);", "}",
                    f"Result<void> again_{stem}(Bytes in, Arena& arena, int16_t v) {{",
                    f'  return again(in, arena, "{message.name}", v, &decode_{stem});', "}"]
            table.append(f'    {{"{message.name}", {a.versions.low}, {a.versions.high}, &random_{stem}, &again_{stem}}},')
    return out + ["constexpr RoundTrip kTrips[] = {", *table, "};", "}  // namespace",
                  "std::span<const RoundTrip> round_trips() { return kTrips; }", "}  // namespace moldau::wire"]


def main(out):
    every = [Api(path) for path in sorted((HERE / "schema").glob("*.txt"))]
    apis = sorted((a for a in every if a.key is not None), key=lambda a: a.key)
    files = {"api_key.h": api_keys(apis), "apis.cc": api_table(apis), "round_trip.cc": round_trips(every)}
    for api in every:
        files[f"messages/{api.path.stem}.h"] = header(api)
        files[f"messages/{api.path.stem}.cc"] = source(api)
    for name, lines in files.items():
        path, text = out / "wire" / name, "\n".join(lines) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
