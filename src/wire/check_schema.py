#!/usr/bin/env python3
"""Compares our schemas with those inside Apache Kafka's jars, field by field.

    check_schema.py --kafka 3.9=DIR --kafka 4.3=DIR --kafka 4.4=DIR     (./dev check-schema fetches the jars and runs it)

DIR is a folder with a release's jars, the oldest release first. Each message must equal Kafka's within the versions that
the release has: fields, order, names, types, version ranges, nullability, tags, defaults, flexible versions, entity types,
ignorable; each release line's range must be stated in our `release` line; and every message of a release must be here.
A name that changed is stated by `was`: an older release may say either. What has no versions and does not show on the
wire (ignorable, entity types, names of structs) is that of the newest release. Fails on any difference.
"""
import argparse
import pathlib
import sys

import schema
from kafka_schemas import facts, jar_schemas, structs_of
from schema import cut, parse_range


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


class Comparison:
    """One message of ours against one of Kafka's; newest: no later release has the message."""

    def __init__(self, ours, theirs, line, newest):
        self.ours, self.theirs, self.line, self.newest = ours, theirs, line, newest
        self.valid = parse_range(theirs["validVersions"])
        self.common = structs_of(theirs)
        self.differences = []

    def run(self):
        flexible = cut(parse_range(self.theirs.get("flexibleVersions", "none")), self.valid)
        self.expect("flexible", cut(self.ours.flexible, self.valid), flexible)
        if cut(self.ours.versions, self.valid) != self.valid:
            self.differences.append(f"versions {self.ours.versions} do not cover {self.valid}")
        self.expect("kind", self.ours.kind, self.theirs["type"])
        self.expect("key", self.ours.api_key, self.theirs.get("apiKey", -1))
        self.struct(self.ours.name, self.ours.body, self.theirs["fields"])
        return self.differences

    def expect(self, what, ours, theirs):
        if ours != theirs:
            self.differences.append(f"{what}: ours {ours}, Kafka's {theirs}")

    def name_of(self, f, theirs):
        """Our field's name in this release."""
        return f.was if not self.newest and f.was in theirs else f.name

    def struct(self, path, ours, json_fields):
        kafkas = {}
        for j in json_fields:
            f = facts(j, self.valid)
            if f["versions"] != schema.NEVER:
                kafkas[f["name"]] = (f, j)
        mine = {self.name_of(f, kafkas): f for f in ours.fields
                if cut(f.versions, self.valid) != schema.NEVER and self.line >= f.since}
        self.expect(f"{path} fields", list(mine), list(kafkas))
        for name in [n for n in mine if n in kafkas]:
            a, (b, j) = our_facts(mine[name], self.valid), kafkas[name]
            kind = mine[name].type
            inner = j.get("fields", self.common.get(j["type"].removeprefix("[]")))
            is_struct = inner is not None and kind in self.ours.structs
            for key in a:
                if key == "name" or not self.newest and (key in ("ignorable", "entity") or key == "type" and is_struct):
                    continue
                self.expect(f"{path}.{name} {key}", a[key], b[key])
            if is_struct:
                self.expect(f"{path}.{name} array", a["type"].startswith("[]"), b["type"].startswith("[]"))
                self.struct(f"{path}.{kind}", self.ours.structs[kind], inner)


def names_of(file, message):
    """The names that the message has had: the newest first."""
    names = [message.name]
    if message.kind in ("request", "response") and file.api.was:
        names.append(file.api.was + message.kind.capitalize())
    return names


def compare(file, message, known):
    """Differences of one message against `known`: release line -> Kafka's schema of it."""
    differences = []
    for line, theirs in known.items():
        found = Comparison(message, theirs, line, newest=line == list(known)[-1]).run()
        if message.kind in ("request", "response"):
            found += check_release(file.api, line, theirs)
        differences += [f"{message.name} against {line}: {d}" for d in found]
    if not known:
        differences = [f"{message.name}: in none of the releases"]
    low, high = message.versions
    versions = {v for m in known.values() for v in range(low, high + 1) if schema.inside(v, parse_range(m["validVersions"]))}
    if len(versions) != high - low + 1:
        differences.append(f"{message.name}: versions {low}-{high} are not all in the releases")
    if file.api:
        differences += [f"{message.name}: release {line} has not got it" for line in file.api.releases.keys() - known.keys()]
    return differences


def check(files, releases):
    """(differences, messages that equal, messages)"""
    problems, equal, total, seen = [], 0, 0, set()
    for file in files:
        for message in file.messages:
            names = names_of(file, message)
            known = {line: r[n] for line, r in releases.items() for n in names if n in r}
            seen.update(names)
            differences = compare(file, message, known)
            problems += differences
            total += 1
            equal += not differences
    missing = sorted({name for r in releases.values() for name in r} - seen)
    problems += [f"{name}: has no schema here" for name in missing]
    return problems, equal, total + len(missing)


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kafka", action="append", required=True, metavar="LINE=DIR")
    parser.add_argument("--schemas", default=pathlib.Path(__file__).parent / "schema")
    options = parser.parse_args()
    releases = {line: jar_schemas(libs) for line, libs in (k.split("=", 1) for k in options.kafka)}
    problems, equal, total = check(schema.load(options.schemas), releases)
    for problem in problems:
        print(problem)
    print(f"{equal} of {total} messages equal")
    return 1 if problems or not total else 0


if __name__ == "__main__":
    sys.exit(main())
