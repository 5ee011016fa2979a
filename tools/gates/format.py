"""Gate `format`: every C++ file is as clang-format writes it."""
import hashlib
import subprocess

from tree import Finding, diagnostics, tool

CLANG_FORMAT = "clang-format-19"
BATCH = 64  # files of one process, whose start costs more than a file


def run(tree):
    style = tree.text(".clang-format") if ".clang-format" in tree.files() else ""
    version = tool(CLANG_FORMAT)
    rules = hashlib.sha256((version + style).encode()).hexdigest()[:16]
    work = [(p, tree.file_hash(p).hex() + rules) for p in tree.cxx()]
    todo = tree.unknown("format", work)
    tree.notes["format"] = f"{len(todo)} of {len(work)} looked at anew"
    parts = [todo[i:i + BATCH] for i in range(0, len(todo), BATCH)]
    return sorted(f for found in tree.pool.map(lambda part: _check(tree, part), parts) for f in found)


def _check(tree, part):
    done = subprocess.run([CLANG_FORMAT, "--style=file", "--dry-run", "--Werror", *(p for p, _ in part)],
                          cwd=tree.root, capture_output=True, text=True)
    first = {}
    for found in diagnostics(tree, done.stderr):
        first.setdefault(found.path, found.line)
    if done.returncode != 0 and not first:
        raise RuntimeError(f"clang-format: {done.stderr[:500]}")
    for path, stamp in part:
        if path not in first:
            stamp.touch()
    return [Finding(path, line, "not formatted", "./dev fmt") for path, line in first.items()]
