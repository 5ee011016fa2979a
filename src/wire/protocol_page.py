#!/usr/bin/env python3
"""Writes docs/protocol.md, the list of every API and stored record, out of the schemas.

    protocol_page.py PAGE [--check]     --check only tells whether the page is what would be written
"""
import pathlib
import sys

import schema

LINES = ("3.9", "4.3", "4.4")
TOP = """# The protocol

Every API and every stored record of Apache Kafka 3.9, 4.3 and 4.4, as `src/wire/schema` describes them. Written by
`python3 -B src/wire/protocol_page.py docs/protocol.md`; a test holds it true.

Each version of each message here is checked in the same ways:

| how | command |
|---|---|
| its schema equals the one in Kafka's jars | `./dev check-schema` |
| what Kafka's classes encode we decode, and encode to the same bytes; what we encode Kafka's classes decode, and encode to the same bytes; unknown tagged fields included | `./dev compat wire` |
| cut, flipped or with huge counts it is an error, and memory stays bounded by the bytes received | `./dev compat wire`, `./dev test Message` |
| any bytes at all do no harm | `./dev fuzz wire_messages` |

What of this the broker serves, and how that was compared with Kafka's, stands in the [status](status.md): ApiVersions
advertises those alone.
"""


def versions(r):
    return "" if r == schema.NEVER else str(r[0]) if r[0] == r[1] else f"{r[0]}–{r[1]}"


def api_row(file):
    api = file.api
    cells = []
    for line in LINES:
        r, unstable = api.releases.get(line, (schema.NEVER, False))
        cells.append(versions(r) + (" (newest unstable)" if unstable else ""))
    whole = "; ".join(dict.fromkeys(versions(m.versions) for m in file.messages))
    return f"| {api.key} | {api.name} | {' '.join(api.listeners)} | {whole} | " + " | ".join(cells) + " |"


def page(files):
    out = [TOP, "## APIs", "", "| key | API | listeners | versions here | 3.9 | 4.3 | 4.4 |", "|---|---|---|---|---|---|---|"]
    out += [api_row(f) for f in sorted((f for f in files if f.api), key=lambda f: f.api.key)]
    out += ["", "## Stored records, control records, messages inside of others, headers", "",
            "| message | kind | id | versions | schema |", "|---|---|---|---|---|"]
    for f in files:
        if not f.api:
            out += [f"| {m.name} | {m.kind} | {'' if m.api_key < 0 else m.api_key} | {versions(m.versions)} | `{f.path.name}` |"
                    for m in f.messages]
    pairs = sum(m.versions[1] - m.versions[0] + 1 for f in files for m in f.messages)
    return "\n".join(out + ["", f"{sum(len(f.messages) for f in files)} messages, {pairs} pairs of message and version.", ""])


def main(arguments):
    path = pathlib.Path(arguments[0])
    text = page(schema.load(pathlib.Path(__file__).parent / "schema"))
    if "--check" not in arguments:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        print(f"{path} is not what the schemas say; write it with: python3 -B src/wire/protocol_page.py docs/protocol.md")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
