#!/usr/bin/env python3
"""Compares our schemas with those inside Apache Kafka's jars, field by field, or drafts a schema from them.

    check_schema.py --kafka 3.9=DIR --kafka 4.3=DIR [--draft NAME]

DIR is the libs folder of a Kafka distribution. Each message must equal Kafka's within the versions that the
release has: fields, order, types, version ranges, nullability, tags, defaults, flexible versions, entity types,
ignorable; each version range of a release line must be stated in our `release` line. Fails on any difference.
--draft prints an API (Fetch) or a stored message in our notation, without comments.
"""
import argparse
import json
import pathlib
import re
import sys
import zipfile

import schema
from schema import cut, parse_range, show_range, snake


def load_json(text):
    """Kafka's dialect: // and /* */ comments, trailing commas, line breaks inside texts."""
    parts = re.findall(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|[^"/]+|/', text, re.S)
    text = "".join(p for p in parts if not p.startswith(("//", "/*")))
    return json.JSONDecoder(strict=False).decode(re.sub(r",(\s*[\]}])", r"\1", text).strip())


def jar_schemas(libs):
    """Every message schema in the jars of a distribution, by name."""
    found = {}
    for jar in sorted(pathlib.Path(libs).glob("kafka*.jar")):
        with zipfile.ZipFile(jar) as z:
            for name in z.namelist():
                if re.fullmatch(r"common/\w+/\w+\.json", name):
                    message = load_json(z.read(name).decode())
                    found[message["name"]] = message
    return found


def default_of(json_field, primitive, array):
    """Kafka's default in our spelling; None if it is zero or empty."""
    if "default" not in json_field:
        return None
    d = json_field["default"]
    if d is None or d == "null":
        return "null"
    text = str(d)
    if text.lower() in ("", "false"):
        return None
    if text.lower() == "true":
        return "true"
    if primitive == "string":
        return f'"{text}"'
    if array or not re.fullmatch(r"-?(0x)?[0-9a-fA-F]+", text):
        return text
    return str(int(text, 0)) if int(text, 0) else None


def facts(json_field, valid, known):
    """(facts of one of Kafka's fields cut to `valid`, its type) in the shape of our_facts."""
    kind = json_field["type"]
    array = kind.startswith("[]")
    kind = kind.removeprefix("[]")
    versions = cut(parse_range(json_field.get("versions", json_field.get("taggedVersions"))), valid)
    null = cut(parse_range(json_field.get("nullableVersions", "none")), versions)
    return {
        "name": snake(json_field["name"]),
        "type": ("[]" if array else "") + kind,
        "versions": versions,
        "null": null,
        "tag": json_field.get("tag"),
        "default": default_of(json_field, kind, array),
        "entity": snake(json_field.get("entityType", "")),
        "ignorable": json_field.get("ignorable", False),
        "classic": json_field.get("flexibleVersions") == "none",
    }


def our_facts(f, valid):
    versions = cut(f.versions, valid)
    return {
        "name": f.name,
        "type": ("[]" if f.array else "") + f.type,
        "versions": versions,
        "null": cut(f.null, versions),
        "tag": f.tag,
        "default": f.default,
        "entity": f.entity,
        "ignorable": f.ignorable,
        "classic": f.classic,
    }


def structs_of(message):
    return {c["name"]: c["fields"] for c in message.get("commonStructs", [])}


class Comparison:
    """One message of ours against one of Kafka's; newest: whether attributes without versions count as well."""

    def __init__(self, ours, theirs, newest):
        self.ours, self.theirs, self.newest = ours, theirs, newest
        self.valid = parse_range(theirs["validVersions"])
        self.common = structs_of(theirs)
        self.differences = []

    def run(self):
        flexible = cut(parse_range(self.theirs.get("flexibleVersions", "none")), self.valid)
        self.expect("flexible", cut(self.ours.flexible, self.valid), flexible)
        if cut(self.ours.versions, self.valid) != self.valid:
            self.differences.append(f"versions {self.ours.versions} do not cover {self.valid}")
        if self.theirs.get("apiKey", -1) != self.ours.api_key:
            self.expect("api key", self.ours.api_key, self.theirs.get("apiKey", -1))
        self.struct(self.ours.name, self.ours.body, self.theirs["fields"])
        return self.differences

    def expect(self, what, ours, theirs):
        if ours != theirs:
            self.differences.append(f"{what}: ours {ours}, Kafka's {theirs}")

    def struct(self, path, ours, json_fields):
        mine = {f.name: f for f in ours.fields if cut(f.versions, self.valid) != schema.NEVER}
        kafkas = {}
        for j in json_fields:
            f = facts(j, self.valid, self.common)
            if f["versions"] != schema.NEVER:
                kafkas[f["name"]] = (f, j)
        self.expect(f"{path} fields", [n for n in mine], [n for n in kafkas])
        for name in mine.keys() & kafkas.keys():
            a, (b, j) = our_facts(mine[name], self.valid), kafkas[name]
            for key in a:
                if self.newest or key != "ignorable":
                    self.expect(f"{path}.{name} {key}", a[key], b[key])
            kind = mine[name].type
            inner = j.get("fields", self.common.get(kind))
            if inner is not None and kind in self.ours.structs:
                self.struct(f"{path}.{kind}", self.ours.structs[kind], inner)


def check(files, releases):
    problems, equal, total = [], 0, 0
    for file in files:
        for message in file.messages:
            total += 1
            differences = []
            lines = [line for line in releases if message.name in releases[line]]
            for line in lines:
                theirs = releases[line][message.name]
                newest = line == lines[-1]
                found = Comparison(message, theirs, newest).run()
                if message.kind in ("request", "response"):
                    found += check_release(file.api, line, theirs)
                differences += [f"{message.name} against {line}: {d}" for d in found]
            if not lines:
                differences = [f"{message.name}: in none of the releases"]
            problems += differences
            equal += not differences
    return problems, equal, total


def check_release(api, line, theirs):
    stated = api.releases.get(line)
    wanted = (parse_range(theirs["validVersions"]), bool(theirs.get("latestVersionUnstable", False)))
    if stated is None or stated[0] != wanted[0]:
        return [f"release {line}: ours {stated}, Kafka's {wanted}"]
    if theirs["type"] == "request":
        if stated[1] != wanted[1]:
            return [f"release {line} unstable: ours {stated[1]}, Kafka's {wanted[1]}"]
        listeners = [name for name in theirs.get("listeners", []) if name != "zkBroker"]
        if listeners != api.listeners and line != "3.9":
            return [f"listeners: ours {api.listeners}, Kafka's {listeners}"]
    return []


def merged(name, releases):
    """One JSON message that covers all releases: the newest, with what only older ones have, in its place."""
    versions = [r[name] for r in releases.values() if name in r]
    newest = versions[-1]
    low = min(parse_range(m["validVersions"])[0] for m in versions)
    valid = (low, parse_range(newest["validVersions"])[1])

    def merge(new, old, old_valid):
        names = [f["name"] for f in new]
        for at, f in enumerate(old):
            if f["name"] not in names:
                gone = dict(f, versions=show_range(cut(parse_range(f["versions"]), old_valid), (0, schema.OPEN)))
                new.insert(min(at, len(new)), gone)
            elif "fields" in f:
                merge(next(n for n in new if n["name"] == f["name"]).get("fields", []), f["fields"], old_valid)

    for older in versions[:-1]:
        merge(newest["fields"], older["fields"], parse_range(older["validVersions"]))
    return newest, valid


def draft_fields(out, fields, valid, common, indent):
    for j in fields:
        f = facts(j, valid, common)
        always = f["null"] == f["versions"] and f["null"] != schema.NEVER
        words = [f["name"], ("?" if always else "") + f["type"] + (f"@{f['entity']}" if f["entity"] else ""),
                 show_range(f["versions"], valid)]
        if f["null"] != schema.NEVER and not always:
            words.append("null " + show_range(f["null"], valid))
        if f["tag"] is not None:
            words.append(f"tag {f['tag']}")
        words += [a for a in ("ignorable", "classic") if f[a]]
        if f["default"] is not None:
            words.append("= " + f["default"])
        out.append(" " * indent + " ".join(words))
        if "fields" in j:
            draft_fields(out, j["fields"], valid, common, indent + 2)


def draft_message(out, head, name, releases):
    message, valid = merged(name, releases)
    flexible = cut(parse_range(message.get("flexibleVersions", "none")), valid)
    line = f"{head} {valid[0]}-{valid[1]}"
    out.append(line + (f" flexible {show_range(flexible, valid)}" if flexible != schema.NEVER else ""))
    for struct_name, fields in structs_of(message).items():
        out.append(f"  struct {struct_name}")
        draft_fields(out, fields, valid, {}, 4)
    draft_fields(out, message["fields"], valid, structs_of(message), 2)
    return message


def draft(name, releases):
    out = []
    if any(name + "Request" in r for r in releases.values()):
        newest = [r for r in releases.values() if name + "Request" in r][-1][name + "Request"]
        out.append(f"api {newest['apiKey']} {name}")
        out.append("  listeners " + " ".join(newest["listeners"]))
        for line, known in releases.items():
            if name + "Request" in known:
                m = known[name + "Request"]
                valid = parse_range(m["validVersions"])
                out.append(f"  release {line} {valid[0]}-{valid[1]}" +
                           (" unstable" if m.get("latestVersionUnstable") else ""))
        for kind in ("request", "response"):
            out.append("")
            draft_message(out, kind, name + kind.capitalize(), releases)
    else:
        newest = [r for r in releases.values() if name in r][-1][name]
        kind = {"metadata": "record"}.get(newest["type"], newest["type"])
        key = f"{newest['apiKey']} " if "apiKey" in newest else ""
        draft_message(out, f"{kind} {key}{name}", name, releases)
    print("\n".join(out))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kafka", action="append", required=True, metavar="LINE=DIR")
    parser.add_argument("--schemas", default=pathlib.Path(__file__).parent / "schema")
    parser.add_argument("--draft", metavar="NAME")
    options = parser.parse_args()
    releases = {line: jar_schemas(libs) for line, libs in (k.split("=", 1) for k in options.kafka)}
    if options.draft:
        draft(options.draft, releases)
        return 0
    problems, equal, total = check(schema.load(options.schemas), releases)
    for problem in problems:
        print(problem)
    print(f"{equal} of {total} messages equal")
    return 1 if problems or not total else 0


if __name__ == "__main__":
    sys.exit(main())
