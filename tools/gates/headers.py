"""Gate `headers`: each header compiles alone, with the project's flags and without a warning."""
import re
import subprocess

from tree import CLANG, Finding, diagnostics, tool


def run(tree):
    version = tool(CLANG)
    work = [(p, tree.key(p, version)) for p in tree.cxx(suffixes=(".h",))]
    missing = [Finding(p, 1, "no #pragma once", "make it the first line after the comment")
               for p, _ in work if not re.search(r"^#pragma once$", tree.code(p), re.M)]
    return missing + tree.each("headers", work, lambda path: _compile(tree, path))


def _compile(tree, path):
    done = subprocess.run([CLANG, *tree.flags(path), "-fsyntax-only", "-Werror", "-Wno-pragma-once-outside-header",
                           "-Wno-unused-const-variable", "-Wno-unused-command-line-argument",
                           "-fno-color-diagnostics", "-x", "c++", str(tree.root / path)],
                          cwd=tree.root, capture_output=True, text=True)
    if done.returncode == 0:
        return []
    found = diagnostics(tree, done.stderr, f"{path} must compile alone: include what it uses")
    return found[:3] or [Finding(path, 1, done.stderr.strip()[:300], "make it compile alone")]
