"""Gate `format`: every C++ file is as clang-format writes it."""
import hashlib
import subprocess

from tree import Finding, tool

CLANG_FORMAT = "clang-format-19"


def run(tree):
    style = tree.text(".clang-format") if ".clang-format" in tree.files() else ""
    version = tool(CLANG_FORMAT)
    rules = hashlib.sha256((version + style).encode()).hexdigest()[:16]
    work = [(p, tree.file_hash(p).hex() + rules) for p in tree.cxx()]
    return tree.each("format", work, lambda path: _check(tree, path))


def _check(tree, path):
    done = subprocess.run([CLANG_FORMAT, "--style=file", str(tree.root / path)], cwd=tree.root, capture_output=True, text=True)
    ours, theirs = tree.text(path).splitlines(), done.stdout.splitlines()
    if done.returncode == 0 and done.stdout == tree.text(path):
        return []
    differing = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    return [Finding(path, differing + 1, "not formatted", "./dev fmt")]
