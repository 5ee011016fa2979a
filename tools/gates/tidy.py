"""Gate `tidy`: clang-tidy with the short list of .clang-tidy, over each source file and our headers that it includes.

The whole tree takes minutes, so ./dev check looks at what can have become worse: sources that differ from the main line,
and sources that include a header that does, the nearest INCLUDERS of them. It says how many it left out. --all leaves
out nothing; .ci/run does that, which is why the main line counts as clean (docs/decisions/0013-what-check-looks-at.md).
"""
import subprocess

from tree import diagnostics, tool

CLANG_TIDY = "clang-tidy-19"
CONFIG = ".clang-tidy"
INCLUDERS = 32  # a header that all include would make everything new: its own code shows in the first of them


def run(tree):
    version = tool(CLANG_TIDY)
    config = tree.text(CONFIG)
    sources = [p for p in tree.cxx(suffixes=(".cc",)) if not p.startswith("tests/toolchain/")]
    todo = tree.unknown("tidy", [(p, tree.key(p, version, config)) for p in sources])
    chosen, why = choose(tree, todo)
    left = len(todo) - len(chosen)
    tree.notes["tidy"] = f"{len(chosen)} of {len(sources)} looked at anew" + (
        f"; NOT looked at: {left}{why}; all: ./dev check tidy --all" if left else "")
    return tree.together("tidy", chosen, lambda *what: _check(tree, *what))


def choose(tree, todo):
    """(those of todo = [(path, stamp)] to look at now, why not the rest). Without a main line: all."""
    base = None if tree.whole else tree.main_line()
    changed = tree.changed(base) if base else None
    if changed is None or CONFIG in changed:
        return todo, ""
    near = _distances(tree, changed, [path for path, _ in todo])
    own = [item for item in todo if item[0] in changed]
    includers = sorted((item for item in todo if item[0] in near and item[0] not in changed), key=lambda item: (near[item[0]], item[0]))
    return own + includers[:INCLUDERS], (
        f" ({len(todo) - len(own) - len(includers)} as at {base[:10]} of the main line, "
        f"{len(includers[INCLUDERS:])} far from a changed header)")


def _distances(tree, changed, sources):
    """source -> number of includes from it to the nearest changed file, for those that include one at all."""
    found = {}
    for source in sources:
        seen, ring, steps = {source}, [source], 0
        while ring and not changed.intersection(ring):
            ring = [n for n in {n for p in ring for n in tree.direct(p)} if n not in seen]
            seen.update(ring)
            steps += 1
        if ring:
            found[source] = steps
    return found


def _check(tree, source, flags):
    """(findings, what does not compile) of the source and what of ours it includes."""
    done = subprocess.run([CLANG_TIDY, "--quiet", f"--config-file={tree.root / CONFIG}", str(source), "--",
                           "-x", "c++", *flags, "-fno-color-diagnostics", "-ferror-limit=0"],
                          cwd=tree.root, capture_output=True, text=True)
    found = diagnostics(tree, done.stdout, "the check's page is clang.llvm.org/extra/clang-tidy/checks/list.html")
    broken = [f for f in found if "[clang-diagnostic-error]" in f.message]
    if done.returncode != 0 and not found:
        raise RuntimeError(f"clang-tidy on {source}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return found, broken
