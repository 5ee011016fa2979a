#!/usr/bin/env python3
"""Runs the gates over this tree and prints a table: ./dev check [GATE...] [--all].

Ends with `gates: N passed, N failed` and exits 1 when a gate has findings. What was clean is remembered by its content
in ~/.cache/moldau/gates, so that only changed files and their includers are compiled again. Without --all the gates that
compile leave out what is as on the main line, and say how much.
"""
import argparse
import concurrent.futures
import pathlib
import subprocess
import sys
import time
import traceback

import dead
import docs
import format as formatting
import headers
import layers
import ratchet
import symbols
import syntax
import tidy
from tree import Finding, Tree, tool

HERE = pathlib.Path(__file__).resolve().parent


def self_test(tree):
    """test_gates.py, unless these very scripts have passed it already."""
    own = sorted(HERE.glob("*.py"))
    work = [("tools/gates/test_gates.py", Tree(HERE.parent.parent).key(
        "tools/gates/test_gates.py", *(p.read_text() for p in own), tool("clang-query-19"), tool("clang-tidy-19")))]

    def run(path):
        done = subprocess.run([sys.executable, str(HERE / "test_gates.py")], capture_output=True, text=True)
        return [] if done.returncode == 0 else [Finding(path, 1, done.stderr[-3000:], f"python3 {path}")]
    found = tree.each("self-test", work, run)
    tree.notes["self-test"] = "each gate sees a planted violation"
    return found


GATES = [  # name, what a pass means, function
    ("layers", "includes follow src/LAYERS", layers.run),
    ("cycles", "no include rings", layers.cycles),
    ("symbols", "system, clocks, chance, threads only where allowed", symbols.run),
    ("ratchet", "functions <= 70 lines, files <= 600", ratchet.run),
    ("dead", "no dead file, no unregistered test", dead.run),
    ("docs", "links, commands and tables are whole", docs.run),
    ("format", "clang-format has nothing to say", formatting.run),
    ("headers", "each header compiles alone", headers.run),
    ("syntax", "await rule, hashed iteration, mutable statics", syntax.run),
    ("tidy", "clang-tidy's short list", tidy.run),
    ("self-test", "the gates catch what they should", self_test),
]


def timed(gate, tree):
    began = time.monotonic()
    try:
        found = gate(tree)
    except Exception:  # a broken gate is a failed gate, and says how
        found = [Finding("tools/gates", 1, traceback.format_exc(), "repair the gate")]
    return found, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gates", nargs="*", help="run only these: " + " ".join(name for name, _, _ in GATES))
    parser.add_argument("--root", default=HERE.parent.parent, help="the tree to look at")
    parser.add_argument("--all", action="store_true", help="look also at what is as on the main line (minutes)")
    options = parser.parse_args()
    unknown = set(options.gates) - {name for name, _, _ in GATES}
    if unknown:
        parser.error(f"no gate {', '.join(sorted(unknown))}; there are: " + " ".join(name for name, _, _ in GATES))
    chosen = [g for g in GATES if not options.gates or g[0] in options.gates]
    return report(chosen, Tree(options.root, whole=options.all))


def report(chosen, tree):
    colour = sys.stdout.isatty()
    paint = (lambda code, text: f"\033[{code}m{text}\033[0m") if colour else (lambda _, text: text)
    began, failed = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(len(chosen)) as runners:
        results = [(name, meaning, runners.submit(timed, gate, tree)) for name, meaning, gate in chosen]
        for name, meaning, future in results:
            found, seconds = future.result()
            failed += bool(found)
            verdict = paint(31, f"{len(found):4} found") if found else paint(32, "        ok")
            note = tree.notes.get(name, "")
            print(f"  {name:10}{verdict} {seconds:6.1f} s   {meaning}{f' ({note})' if note else ''}", flush=True)
            for finding in found[:50]:
                print(f"    {finding.path}:{finding.line}: {finding.message}")
                if finding.fix:
                    print(f"        -> {finding.fix}")
            if len(found) > 50:
                print(f"    … and {len(found) - 50} more")
    print(f"gates: {len(chosen) - failed} passed, {failed} failed, in {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
