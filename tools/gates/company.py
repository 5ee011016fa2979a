"""Which files the compiler may look at in one go.

One file alone costs what the libraries' headers and ours cost, several times its own lines; a source that includes sixty
files costs that once. Two files that give one private name to two things cannot be in one source, so each batch holds
only files whose names at namespace level differ. What this overlooks the compiler refuses, and tree.together() parts it.
"""
import os
import re
from typing import NamedTuple

BATCH = 64  # files at most: two processors want two batches to work on
_SPACE = re.compile(r'\b(?:inline\s+)?namespace\b[^;{}=()]*\{|\bextern\s*"[^"]*"\s*\{')
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.M)
_TYPE = re.compile(r"\b(?:struct|class|union|enum(?:\s+class)?|concept|using)\s+(?:\[\[[^\]]*\]\]\s*)?([A-Za-z_]\w*)\s*(?:[:;={]|final\b)")
_VALUE = re.compile(r"(?<![\w:.])([A-Za-z_]\w*)\s*(?:[(=\[;]|\{\})")
_MEMBER_OR_MACRO = re.compile(r".*_|[A-Z][A-Z0-9_]*")
_WORDS = frozenset("bool char const constexpr default double final host int int32_t int64_t moldau namespace noexcept nullptr override posix "
                   "requires sizeof size_t static_assert uint8_t uint16_t uint32_t uint64_t void wire".split())


def names(code):
    """Names that a source without comments declares at namespace level: at least those that can collide, some more."""
    code = _DIRECTIVE.sub("", code)
    opens = {m.end() - 1 for m in _SPACE.finditer(code)}
    outside, inside, spaces, position = [], 0, 0, 0
    for match in re.finditer(r"[{}]", code):
        place = match.start()
        if not inside:
            outside.append(code[position:place])
        position = place + 1
        if match.group() == "{":
            if not inside and place in opens:
                spaces += 1
                outside.append(";")
            else:
                inside += 1
        elif inside:
            inside -= 1
            if not inside:
                outside.append("{}")
        else:
            spaces -= 1
    text = "".join(outside) + code[position:]
    found = set(_TYPE.findall(text)) | set(_VALUE.findall(text))
    return {n for n in found if n not in _WORDS and not _MEMBER_OR_MACRO.fullmatch(n)}


def _apart(flags):
    """(what all files of a batch must share, folders and definitions, precompiled headers)."""
    shared, added, precompiled = [], [], []
    for flag, before in zip(flags, ["", *flags]):
        if "-include-pch" in (flag, before):
            precompiled += [flag] if flag != "-include-pch" else []
        else:
            (added if flag.startswith(("-I", "-D")) else shared).append(flag)
    return tuple(shared), added, precompiled


def batches(tree, items, size=BATCH):
    """items are tuples that begin with a path; [(flags, items of one batch)], the largest first."""
    groups = {}
    for item in items:
        own = names(tree.code(item[0]))
        shared, added, precompiled = _apart(tree.flags(item[0], precompiled=True))
        group = groups.setdefault(shared, [])
        batch = next((b for b in group if len(b.items) < size and not b.names & own), None)
        if batch is None:
            batch = Batch([], set(), {}, set())
            group.append(batch)
        batch.items.append(item)
        batch.names.update(own)
        batch.added.update(dict.fromkeys(added))
        batch.precompiled.update(precompiled)
    made = [(_flags(shared, batch), batch.items) for shared, group in groups.items() for batch in group]
    return sorted(made, key=lambda batch: len(batch[1]), reverse=True)


class Batch(NamedTuple):
    items: list
    names: set
    added: dict
    precompiled: set


def _flags(shared, batch):
    """Of two precompiled headers the larger holds the other (cmake/Std.cmake)."""
    largest = sorted(batch.precompiled, key=os.path.getsize)[-1:]
    return [*shared, *batch.added, *(word for path in largest for word in ("-include-pch", path))]
