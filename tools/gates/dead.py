"""Gate `dead`: nothing lies around unused or untested by accident.

A header has a reader besides its own source and test; every source and test is compiled by some target; every script
and fuzz target is started by something.
"""
import os
import re

from tree import Finding

# Headers that only people outside this repository include.
PUBLIC = {
    # "src/client/producer.h": "the client library",
}
SCRIPT_SUFFIXES = (".py", ".sh")


def run(tree):
    return headers(tree) + compiled(tree) + scripts(tree)


def headers(tree):
    """Until src/app joins the parts, parts wait for their users: not checked before."""
    if not any(f.startswith("src/app/") for f in tree.files()):
        tree.notes["dead"] = "unused headers: not looked at before src/app exists"
        return []
    readers = {}
    for path in tree.cxx():
        for other in tree.direct(path):
            readers.setdefault(other, set()).add(path)
    findings = []
    for path in tree.cxx("src", suffixes=(".h",)):
        own = {path[:-2] + ending for ending in (".cc", "_test.cc")}
        if path not in PUBLIC and not readers.get(path, set()) - own:
            findings.append(Finding(path, 1, "nobody includes this header but its own source and test",
                                    "delete it, or name it in PUBLIC in tools/gates/dead.py with the reason"))
    return findings


def compiled(tree):
    commands = tree.commands()
    sources = tree.cxx(suffixes=(".cc",))
    if not commands:
        return [Finding("build/debug/compile_commands.json", 1, "not there", "cmake --preset debug")] if sources else []
    findings = []
    for path in sources:
        if path not in commands:
            what = "test is in no target and never runs" if path.endswith("_test.cc") else "source is in no target"
            findings.append(Finding(path, 1, what, "name it in the CMakeLists.txt or module.cmake next to it"))
    return findings


def scripts(tree):
    """A script is started, imported or explained by a file outside itself."""
    candidates = [f for f in tree.files() if f.startswith(("tools/", "tests/")) and _is_script(tree, f)]
    speakers = [f for f in tree.files() if f in ("dev", ".ci/run", "CMakeLists.txt") or f.startswith(("cmake/", "packaging/"))
                or f.endswith((".md", "CMakeLists.txt", ".cmake", "CMakePresets.json")) or f in candidates]
    findings = []
    for path in candidates:
        folder, name = os.path.split(path)
        # A name like `run` or `run.py` is nobody's in particular: that is named with its folder, or imported.
        known_as = rf"{re.escape(os.path.basename(folder) + '/' + name)}\b"
        if name not in ("run", "run.py"):
            known_as += rf"|(?<![\w.]){re.escape(name)}\b"
        if name.endswith(".py"):
            known_as += rf"|^\s*(?:import|from)\s+{re.escape(name[:-3])}\b"
            known_as += rf"|^\s*from\s+(?:[\w.]+\s+)?import\s+.*\b{re.escape(name[:-3])}\b"
        if _found_by_name(path):
            continue
        if not any(re.search(known_as, tree.text(s), re.M) for s in speakers if s != path):
            findings.append(Finding(path, 1, "no command, build file, page or script mentions this script",
                                    "call it from ./dev, .ci/run or CMake, or delete it"))
    return findings


def _found_by_name(path):
    """./dev bench NAME starts tests/bench/NAME.py, which imports lib; tests/interop/run collects test_*.py; a package's __init__ is its folder's."""
    return bool(re.fullmatch(r"tests/bench/(?:lib/)?(?!run\.py)\w+\.py|tests/interop/test_\w+\.py|tests/.*/__init__\.py", path))


def _is_script(tree, path):
    if path.endswith(SCRIPT_SUFFIXES):
        return True
    return os.access(tree.root / path, os.X_OK) and tree.text(path).startswith("#!")
