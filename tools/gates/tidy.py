"""Gate `tidy`: clang-tidy with the short list of .clang-tidy, over each source file and our headers that it includes."""
import subprocess

from tree import diagnostics, tool

CLANG_TIDY = "clang-tidy-19"


def run(tree):
    version = tool(CLANG_TIDY)
    config = tree.text(".clang-tidy")
    work = [(p, tree.key(p, version, config)) for p in tree.cxx(suffixes=(".cc",)) if not p.startswith("tests/toolchain/")]
    return sorted(set(tree.each("tidy", work, lambda path: _check(tree, path))))


def _check(tree, path):
    done = subprocess.run([CLANG_TIDY, "--quiet", f"--config-file={tree.root / '.clang-tidy'}", str(tree.root / path), "--",
                           *tree.flags(path), "-fno-color-diagnostics"],
                          cwd=tree.root, capture_output=True, text=True)
    found = diagnostics(tree, done.stdout, "the check's page is clang.llvm.org/extra/clang-tidy/checks/list.html")
    if done.returncode != 0 and not found:
        raise RuntimeError(f"clang-tidy on {path}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return found
