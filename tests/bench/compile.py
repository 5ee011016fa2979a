# ./dev bench compile: what the build costs whoever works on it, in a clone of its own and without ccache: a clean build, one
# with nothing changed, a changed file until its test has run, and the gates on a tree that they have never seen, and again.
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from lib import machine

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHANGED = "src/log/log_core.cc"  # a long file in the middle of the layers
TEST = ["build/debug/log_test", "--gtest_filter=LogCore*", "--gtest_brief=1"]


def run(where, *command):
    """(seconds, CPU seconds) of a command that must succeed."""
    environment = dict(os.environ, CCACHE_DISABLE="1")
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu


def row(what, *costs):
    seconds, cpu = (sum(cost[i] for cost in costs) for i in (0, 1))
    print(f"| {what} | {seconds:.1f} s | {cpu:.1f} s |", flush=True)


def main():
    facts = machine.facts()
    print(f"{facts['processors']} cores of {facts['model']}, load {facts['load']:.2f} when it began\n")
    folder = tempfile.mkdtemp(prefix="moldau-compile-", dir="/var/tmp")
    try:
        subprocess.run(["git", "clone", "-q", str(ROOT), folder], check=True)
        print("| | time | CPU |\n|---|---|---|")
        ninja = ["ninja", "-C", "build/debug"]
        row("clean build, debug, all programs and tests", run(folder, "cmake", "--preset", "debug"), run(folder, *ninja))
        row("nothing changed", run(folder, *ninja))
        with open(pathlib.Path(folder) / CHANGED, "a") as f:
            f.write("// changed\n")
        row(f"{CHANGED} changed, until its test has run", run(folder, *ninja, "log_test"), run(folder, *TEST))
        row("`./dev check`, all gates, nothing known", run(folder, sys.executable, "tools/gates/check.py"))
        row("`./dev check` again", run(folder, sys.executable, "tools/gates/check.py"))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
