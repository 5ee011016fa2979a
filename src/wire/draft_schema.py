#!/usr/bin/env python3
"""Prints a first draft of a schema file in our notation out of Apache Kafka's jars, without comments.

    draft_schema.py --kafka 3.9=DIR --kafka 4.3=DIR NAME

NAME is an API (Fetch) or a stored message (TopicRecord); of a coordinator's pair the part before Key and Value. Of
an older release's name for an API that was renamed since: give --was NAME as well.
"""
import argparse

from kafka_schemas import facts, jar_schemas, merged, structs_of
from schema import NEVER, cut, parse_range, show_range


def field_words(j, valid):
    f = facts(j, valid)
    if f["versions"] == NEVER:
        return None
    always = f["null"] == f["versions"]
    words = [f["name"], ("?" if always else "") + f["type"] + (f"@{f['entity']}" if f["entity"] else ""),
             show_range(f["versions"], valid)]
    rest = []
    if f["null"] != NEVER and not always:
        rest.append("null " + show_range(f["null"], valid))
    if f["tag"] is not None:
        rest.append(f"tag {f['tag']}")
    rest += [a for a in ("ignorable", "classic") if f[a]]
    if f["was"]:
        rest.append("was " + f["was"])
    if f["since"]:
        rest.append("since " + f["since"])
    if f["default"] is not None:
        rest.append("= " + f["default"])
    return words + [" ".join(rest)]


def field_rows(fields, valid, indent):
    rows = []
    for j in fields:
        words = field_words(j, valid)
        if words is None:
            continue
        rows.append([" " * indent + words[0]] + words[1:])
        if "fields" in j:
            rows += field_rows(j["fields"], valid, indent + 2)
    return rows


def aligned(rows):
    """Rows of words in columns; a row of one word stands by itself."""
    widths = [max((len(r[i]) for r in rows if len(r) > 1), default=0) for i in range(3)]
    return ["  ".join([r[i].ljust(widths[i]) for i in range(3)] + r[3:]).rstrip() if len(r) > 1 else r[0] for r in rows]


def draft_message(head, known):
    message, valid = merged(known)
    flexible = cut(parse_range(message.get("flexibleVersions", "none")), valid)
    line = f"{head} {show_range(valid, (0, valid[1] + 1))}"
    rows = []
    for name, fields in structs_of(message).items():
        rows += [[f"  struct {name}"]] + field_rows(fields, valid, 4)
    rows += field_rows(message["fields"], valid, 2)
    return [line + (f" flexible {show_range(flexible, valid)}" if flexible != NEVER else "")] + aligned(rows)


def draft_api(name, was, releases):
    known = {line: r.get(name + "Request", r.get(f"{was}Request")) for line, r in releases.items()}
    known = {line: m for line, m in known.items() if m}
    newest = list(known.values())[-1]
    listeners = [name for name in newest["listeners"] if name != "zkBroker"]
    out = [f"api {newest['apiKey']} {name}"]
    if listeners:
        out.append("  listeners " + " ".join(listeners))
    if was:
        out.append("  was " + was)
    for line, m in known.items():
        versions = show_range(parse_range(m["validVersions"]), (0, 10**6))
        out.append(f"  release {line} {versions}" + (" unstable" if m.get("latestVersionUnstable") else ""))
    for kind in ("request", "response"):
        names = (name + kind.capitalize(), f"{was}{kind.capitalize()}")
        out += [""] + draft_message(kind, [(line, r[n]) for line, r in releases.items() for n in names if n in r])
    return out


def draft_stored(name, releases):
    known = [(line, r[name]) for line, r in releases.items() if name in r]
    newest = known[-1][1]
    key = f"{newest['apiKey']} " if newest["type"] not in ("data", "header") else ""
    return draft_message(f"{newest['type']} {key}{name}", known)


def draft(name, releases, was=None):
    """The lines of a schema file."""
    if any(name + "Request" in r for r in releases.values()):
        return draft_api(name, was, releases)
    names = [n for n in (name, name + "Key", name + "Value") if any(n in r for r in releases.values())]
    if not names:
        raise SystemExit(f"{name}: in none of the releases")
    out = []
    for one in names:
        out += ([""] if out else []) + draft_stored(one, releases)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kafka", action="append", required=True, metavar="LINE=DIR")
    parser.add_argument("--was", metavar="NAME")
    parser.add_argument("name")
    options = parser.parse_args()
    releases = {line: jar_schemas(libs) for line, libs in (k.split("=", 1) for k in options.kafka)}
    print("\n".join(draft(options.name, releases, options.was)))


if __name__ == "__main__":
    main()
