"""Gate `headers`: each header compiles alone, with the project's flags and without a warning.

A header whose own source includes it before anything else is proved by every build of that source (and by the gate
`tidy`, which parses it), so only the others are compiled here. That own header must come first is checked as well.
"""
import re
import subprocess

import mainline
from tree import CLANG, Finding, diagnostics, tool


def run(tree):
    version = tool(CLANG)
    every = tree.cxx(suffixes=(".h",))
    known = set(tree.files())
    missing = [Finding(p, 1, "no #pragma once", "make it the first line after the comment")
               for p in every if not re.search(r"^#pragma once$", tree.code(p), re.M)]
    late, proved = [], set()
    for header in every:
        source = header[:-2] + ".cc"
        if source not in known:
            continue
        included = [(i.line, tree.resolve(source, i.name)) for i in tree.includes(source)]
        place = next((n for n, (_, name) in enumerate(included) if name == header), None)
        if place == 0 and source in tree.commands():
            proved.add(header)
        elif place:
            late.append(Finding(source, included[place][0], f"{header} is not the first include",
                                "own header first: it proves that the header needs nothing before it"))
    work = [(p, tree.key(p, version)) for p in every if p not in proved]
    todo = mainline.choose(tree, "headers", work, rules={"tools/gates/headers.py"})
    return missing + late + tree.run_each(todo, lambda path: _compile(tree, path))


def _compile(tree, path):
    done = subprocess.run([CLANG, *tree.flags(path), "-fsyntax-only", "-Werror", "-Wno-pragma-once-outside-header",
                           "-Wno-unused-const-variable", "-Wno-unused-command-line-argument",
                           "-fno-color-diagnostics", "-x", "c++", str(tree.root / path)],
                          cwd=tree.root, capture_output=True, text=True)
    if done.returncode == 0:
        return []
    found = diagnostics(tree, done.stderr, f"{path} must compile alone: include what it uses")
    return found[:3] or [Finding(path, 1, done.stderr.strip()[:300], "make it compile alone")]
