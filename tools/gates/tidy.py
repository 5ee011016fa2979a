"""Gate `tidy`: clang-tidy with the short list of .clang-tidy, over each source file and our headers that it includes.

Many files at once (tree.together): one file alone takes six seconds, of which its own lines take half a second."""
import subprocess

from tree import diagnostics, tool

CLANG_TIDY = "clang-tidy-19"


def run(tree):
    version = tool(CLANG_TIDY)
    config = tree.text(".clang-tidy")
    work = [(p, tree.key(p, version, config)) for p in tree.cxx(suffixes=(".cc",)) if not p.startswith("tests/toolchain/")]
    return tree.together("tidy", work, lambda *what: _check(tree, *what))


def _check(tree, source, language, flags):
    """(findings, what does not compile) of the source and what of ours it includes."""
    done = subprocess.run([CLANG_TIDY, "--quiet", f"--config-file={tree.root / '.clang-tidy'}", str(source), "--",
                           "-x", language, *flags, "-fno-color-diagnostics", "-ferror-limit=0"],
                          cwd=tree.root, capture_output=True, text=True)
    found = diagnostics(tree, done.stdout, "the check's page is clang.llvm.org/extra/clang-tidy/checks/list.html")
    broken = [f for f in found if "[clang-diagnostic-error]" in f.message]
    if done.returncode != 0 and not found:
        raise RuntimeError(f"clang-tidy on {source}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return found, broken
