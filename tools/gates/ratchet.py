"""Gate `ratchet`: a function has at most 70 lines, a file at most 600. A function that only returns a table is data.

What was longer when the rule came stands in exceptions.txt, one line each: `path lines` or `path:function lines`.
The list only shrinks: an entry that HEAD, its parent or the branching point from main does not have is a finding, so is
one that grew, and so is one that is no longer needed.
"""
import re
from typing import NamedTuple

from tree import Finding

MAX_FUNCTION, MAX_FILE = 70, 600
EXCEPTIONS = "tools/gates/exceptions.txt"
_TABLE = re.compile(r"\s*(?:using\b[^;{}]*;\s*)*return\s*[\w:<>, ]*\{[^;]*\};\s*")
_ACCESS = re.compile(r"\s*(?:(?:public|private|protected)\s*:\s*)*")
_CONTAINER = re.compile(r"^(?:inline\s+|export\s+|typedef\s+|template\s*<.*>\s*)*(?:namespace|class|struct|union|enum|extern)\b", re.S)


class Function(NamedTuple):
    name: str
    first: int
    last: int
    table: bool = False  # nothing but `return {…};`: data, as long as it must be

    @property
    def lines(self):
        return self.last - self.first + 1


def functions(code):
    """Functions of a file whose comments and literals are blank, outermost ones: a lambda counts to its function."""
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", lambda m: re.sub(r"[^\n]", " ", m.group()), code, flags=re.M)
    out, start, depth_in_function, position = [], 0, 0, 0
    open_function = None
    for match in re.finditer(r"[{};]", code):
        position, mark = match.start(), match.group()
        if depth_in_function:
            depth_in_function += {"{": 1, "}": -1, ";": 0}[mark]
            if depth_in_function == 0:
                if open_function is not None:
                    name, first, body = open_function
                    last = code.count("\n", 0, position) + 1
                    out.append(Function(name, first, last, bool(_TABLE.fullmatch(code, body, position))))
                    open_function = None
                    start = position + 1
            continue
        if mark != "{":
            start = position + 1
            continue
        head = _ACCESS.sub("", code[start:position], count=1).strip()
        if _is_container(head):
            start = position + 1
            continue
        depth_in_function = 1
        if _is_function(head, code, position):
            lead = _ACCESS.match(code[start:position]).end()
            open_function = (_name(head), code.count("\n", 0, start + lead) + 1, position + 1)
    return out


def _is_container(head):
    plain = re.sub(r"\[\[.*?\]\]", " ", head)
    return bool(_CONTAINER.match(plain)) and not re.search(r"\)\s*(?:const|noexcept|override|final|->.*)?\s*$", plain, re.S)


def _is_function(head, code, position):
    """A brace after a parameter list opens a body; in a constructor's initialisers or after `=` it opens a value."""
    if "(" not in head or re.search(r"(?<![=!<>])=(?!=)\s*$", head):
        return False
    depth, end = 0, len(code)
    for i in range(position, len(code)):
        depth += {"{": 1, "}": -1}.get(code[i], 0)
        if depth == 0:
            end = i
            break
    following = code[end + 1:end + 200].lstrip()[:1]
    return not (following in (",", "{") and re.search(r"\)\s*(?:noexcept\s*)?:", head))


def _name(head):
    test = re.match(r"(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP)\s*\(\s*(\w+)\s*,\s*(\w+)", head)
    if test:
        return f"{test.group(1)}.{test.group(2)}"
    found = re.search(r"((?:\w+::)*(?:operator\s*(?:\(\)|[^\s(]+)|~?\w+))\s*\(", head)
    return re.sub(r"\s+", "", found.group(1)) if found else "?"


def measure(tree):
    """(key, path, line, lines, limit) of everything above its limit."""
    over = []
    for path in tree.cxx():
        lines = tree.text(path).count("\n")
        if lines > MAX_FILE:
            over.append((path, path, 1, lines, MAX_FILE))
        over += [(f"{path}:{f.name}", path, f.first, f.lines, MAX_FUNCTION)
                 for f in functions(tree.code(path)) if f.lines > MAX_FUNCTION and not f.table]
    return over


def parse(text):
    entries = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].split()
        if words:
            entries[words[0]] = (int(words[1]) if len(words) > 1 and words[1].isdigit() else 0, number)
    return entries


def baselines(tree):
    """Earlier versions of the list: of HEAD, of its parent, of the point where this branch left main."""
    found = []
    revisions = ["HEAD", "HEAD^"]
    for main in ("main", "origin/main", "master", "origin/master"):
        base = tree.git("merge-base", "HEAD", main)
        if base:
            revisions.append(base.strip())
    for revision in dict.fromkeys(revisions):
        text = tree.git("show", f"{revision}:{EXCEPTIONS}")
        if text is not None:
            found.append(parse(text))
    return found


def run(tree):
    listed = parse(tree.text(EXCEPTIONS)) if EXCEPTIONS in tree.files() else {}
    findings, needed = [], set()
    for key, path, line, lines, limit in measure(tree):
        needed.add(key)
        permitted = listed.get(key, (0, 0))[0]
        what = f"{key.split(':', 1)[1]} has" if ":" in key else "the file has"
        if lines > max(limit, permitted):
            findings.append(Finding(path, line, f"{what} {lines} lines, the limit is {permitted or limit}",
                                    "split it: branches in the parent, straight-line work in helpers"))
    for key, (lines, number) in listed.items():
        if key not in needed:
            findings.append(Finding(EXCEPTIONS, number, f"{key} needs no exception any more", "delete the line"))
        elif any(lines > base.get(key, (0, 0))[0] for base in baselines(tree)):
            findings.append(Finding(EXCEPTIONS, number, f"{key} {lines} is new or has grown; this list only shrinks",
                                    "split the code instead"))
    return findings
