"""Which files the compiler may look at in one go.

One file alone costs what the libraries' headers and ours cost, several times its own lines; a source that includes sixty
files costs that once. Two files that give one private name to two things cannot be in one source as they are: the second
sees that name as another (#define), or goes to another batch if the name is not its alone. What this overlooks the
compiler refuses, and tree.together() parts it.
"""
import os
import re

BATCH = 64  # files at most: two processors want two batches to work on
_SPACE = re.compile(r'\b(?:inline\s+)?namespace\b[^;{}=()]*\{|\bextern\s*"[^"]*"\s*\{')
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.M)
_TYPE = re.compile(r"\b(?:struct|class|union|enum(?:\s+class)?|concept|using)\s+(?:\[\[[^\]]*\]\]\s*)?([A-Za-z_]\w*)\s*(?:[:={]|final\b)")
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


class Batch:
    """Files that one source can include. Their items are tuples that begin with a path."""

    def __init__(self, shared):
        self.items, self.names, self.renamed = [], set(), {}
        self._shared, self._added, self._precompiled = shared, {}, set()

    def add(self, item, names, renamed, added, precompiled):
        self.items.append(item)
        self.names |= names
        self.renamed[item[0]] = sorted(renamed)
        self._added.update(dict.fromkeys(added))
        self._precompiled.update(precompiled)

    @property
    def flags(self):
        """Of two precompiled headers the larger holds the other (cmake/Std.cmake)."""
        largest = sorted(self._precompiled, key=os.path.getsize)[-1:]
        return [*self._shared, *self._added, *(word for path in largest for word in ("-include-pch", path))]

    def text(self, tree, items):
        """The headers of a file come before its names are others."""
        lines = []
        for number, (path, *_) in enumerate(items):
            if self.renamed[path]:
                lines += [f'#include "{tree.root / h}"' for h in tree.direct(path)]
                lines += [f"#include <{i.name}>" for i in tree.includes(path) if not i.quoted]
            lines += [f"#define {n} {n}_{number}" for n in self.renamed[path]]
            lines += [f'#include "{tree.root / path}"']
            lines += [f"#undef {n}" for n in self.renamed[path]]
        return "\n".join(lines) + "\n"


def _private(tree, path, name):
    """No header that the file includes gives the name to anything, and the file uses it plainly: as no member, in no namespace."""
    known = tree.once(("header names", path), lambda: {n for h in tree.closure(path) if h != path for n in tree.once(
        ("names", h), lambda: names(tree.code(h)))})
    return name not in known and not re.search(rf"(?:\.|->|::|#)\s*{name}\b", tree.code(path))


def batches(tree, items, size=BATCH):
    """The largest first."""
    groups = {}
    for item in items:
        own = names(tree.code(item[0]))
        private = {n for n in own if _private(tree, item[0], n)}
        shared, added, precompiled = _apart(tree.flags(item[0], precompiled=True))
        alone = item[0] if any(n.endswith(".cc") for n in tree.direct(item[0])) else ""  # another file may be that source
        group = groups.setdefault((shared, alone), [])
        batch = next((b for b in group if len(b.items) < size and not b.names & (own - private)), None)
        if batch is None:
            batch = Batch(shared)
            group.append(batch)
        batch.add(item, own, batch.names & private, added, precompiled)
    return sorted((batch for group in groups.values() for batch in group), key=lambda batch: len(batch.items), reverse=True)
