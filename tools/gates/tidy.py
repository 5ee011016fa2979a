"""Gate `tidy`: clang-tidy with the short list of .clang-tidy, over each source file and our headers that it includes.

The whole tree takes minutes: without --all it looks at what differs from the main line (mainline.py), and at no more than
INCLUDERS sources that only include what differs.
"""
import subprocess

import mainline
from tree import diagnostics, tool

CLANG_TIDY = "clang-tidy-19"
CONFIG = ".clang-tidy"
INCLUDERS = 32  # a header that all include would make everything new: its own code shows in the first of them


def run(tree):
    version = tool(CLANG_TIDY)
    config = tree.text(CONFIG)
    sources = [p for p in tree.cxx(suffixes=(".cc",)) if not p.startswith("tests/toolchain/")]
    work = [(p, tree.key(p, version, config)) for p in sources]
    chosen = mainline.choose(tree, "tidy", work, rules={CONFIG}, includers=INCLUDERS)
    return tree.together("tidy", chosen, lambda *what: _check(tree, *what))


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
