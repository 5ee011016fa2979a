"""Reads the message schemas inside Apache Kafka's jars, in the shape that check_schema.py compares and draft_schema.py prints."""
import json
import pathlib
import re
import zipfile

from schema import NEVER, OPEN, cut, parse_range, show_range, snake


def load_json(text):
    """Kafka's dialect: // and /* */ comments, trailing commas, line breaks inside texts."""
    parts = re.findall(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|[^"/]+|/', text, re.S)
    text = "".join(p for p in parts if not p.startswith(("//", "/*")))
    return json.JSONDecoder(strict=False).decode(re.sub(r",(\s*[\]}])", r"\1", text).strip())


def jar_schemas(libs):
    """Every message schema in the jars of a release, by name. What is left of removed APIs, without versions, is none."""
    found = {}
    for jar in sorted(pathlib.Path(libs).glob("kafka*.jar")):
        with zipfile.ZipFile(jar) as z:
            for name in z.namelist():
                if not re.fullmatch(r"(common/)?(message|metadata)/\w+\.json", name):
                    continue
                message = load_json(z.read(name).decode())
                if message["validVersions"] == "none":
                    continue
                # The topic of remote log metadata numbers its records by itself.
                if message["type"] == "metadata":
                    message["type"] = "remote-record" if name.startswith("message/") else "record"
                found[message["name"]] = message
    return dict(split_keys(found))


def split_keys(found):
    """3.9 has one numbering for the keys of internal topics: the version of the key. Later releases have an id beside it."""
    for name, message in found.items():
        partner = name[:-5] + "Key" if name.endswith("Value") else name
        if message["type"] != "data" or partner + "Value" == name or not re.search("(Key|Value)$", name) or partner not in found:
            yield name, message
            continue
        low, high = parse_range(found[partner]["validVersions"])
        if name != partner:
            yield name, dict(message, type="coordinator-value", apiKey=high)
            continue
        for number in range(low, high + 1):
            own = name if number == high else "Legacy" + name
            yield own, dict(message, name=own, type="coordinator-key", apiKey=number, validVersions="0",
                            fields=[dict(f, versions="0") for f in message["fields"]])


def default_of(json_field, primitive, array):
    """Kafka's default in our spelling; None if it is zero or empty, as it is where the schema says null without quotes."""
    d = json_field.get("default")
    if d is None:
        return None
    if d == "null":
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


def versions_of(json_field, valid):
    return cut(parse_range(json_field.get("versions", json_field.get("taggedVersions"))), valid)


def facts(json_field, valid):
    """Facts of one of Kafka's fields cut to `valid`."""
    kind = json_field["type"]
    array = kind.startswith("[]")
    kind = kind.removeprefix("[]")
    versions = versions_of(json_field, valid)
    return {
        "name": snake(json_field["name"]),
        "was": json_field.get("was"),
        "type": ("[]" if array else "") + kind,
        "versions": versions,
        "null": cut(parse_range(json_field.get("nullableVersions", "none")), versions),
        "since": json_field.get("since"),
        "tag": None if json_field.get("tag") is None else int(json_field["tag"]),
        "default": default_of(json_field, kind, array),
        "entity": snake(json_field.get("entityType", "")),
        "ignorable": json_field.get("ignorable", False) in (True, "true"),
        "classic": json_field.get("flexibleVersions") == "none",
    }


def structs_of(message):
    return {c["name"]: c["fields"] for c in message.get("commonStructs", [])}


def hull(a, b):
    """The range that covers both, which are cut to known versions."""
    if NEVER in (a, b):
        return b if a == NEVER else a
    return (min(a[0], b[0]), max(a[1], b[1]))


def merged_fields(line, new, new_valid, old, old_valid):
    """The fields of two releases in one list: those of the newer, `line`, with what only the older has in its place."""
    both = cut(new_valid, old_valid)
    was = {}  # newer name -> older name, where a version that both have shows another name in the same place
    for version in range(both[0], both[1] + 1):
        at = [[f for f in side if versions_of(f, (version, version)) != NEVER] for side in (new, old)]
        for a, b in zip(*at) if len(at[0]) == len(at[1]) else ():
            if a["name"] != b["name"] and a.get("tag") == b.get("tag"):
                was[a["name"]] = b["name"]
    older = {f["name"]: f for f in old}
    out = []
    for f in new:
        before = older.get(was.get(f["name"], f["name"] if f["name"] not in was.values() else None))
        sides = ((f, new_valid), (before or {"versions": "none"}, old_valid))
        f = dict(f, versions=range_text(hull(*(versions_of(side, valid) for side, valid in sides))),
                 nullableVersions=range_text(hull(*(cut(parse_range(side.get("nullableVersions", "none")), valid)
                                                    for side, valid in sides))))
        if f["name"] in was:
            f["was"] = snake(was[f["name"]])
        elif before and "was" in before:
            f["was"] = before["was"]
        if before and "since" in before:
            f["since"] = before["since"]
        elif not before and versions_of(f, both) != NEVER:
            f["since"] = line
        if before and "fields" in f:
            f["fields"] = merged_fields(line, f["fields"], new_valid, before["fields"], old_valid)
        out.append(f)
    names = [was.get(f["name"], f["name"] if f["name"] not in was.values() else None) for f in out]
    for at, f in enumerate(old):
        if f["name"] not in names:
            place = names.index(old[at - 1]["name"]) + 1 if at else 0
            out.insert(place, dict(f, versions=range_text(versions_of(f, old_valid))))
            names.insert(place, f["name"])
    return out


def range_text(r):
    return show_range(r, (0, OPEN))


def merged(known):
    """One JSON message that covers those of `known`, (release line, message) with the oldest first, and its versions."""
    result, valid = known[0][1], parse_range(known[0][1]["validVersions"])
    for line, newer in known[1:]:
        new_valid = parse_range(newer["validVersions"])
        fields = merged_fields(line, newer["fields"], new_valid, result["fields"], valid)
        common, older = structs_of(newer), structs_of(result)
        common = [{"name": name, "fields": merged_fields(line, own, new_valid, older[name], valid) if name in older else own}
                  for name, own in common.items()]
        common += [{"name": name, "fields": own} for name, own in older.items() if name not in structs_of(newer)]
        result, valid = dict(newer, fields=fields, commonStructs=common), hull(new_valid, valid)
    return result, valid
