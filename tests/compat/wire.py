"""Every message in every version, and every stored record, through Kafka's own message classes and through ours.

Kafka's classes make random messages; we read them and write the same bytes again, and take damaged forms of them without
harm. Then we make random messages, and Kafka's classes read them and write the same bytes. 4.3 and 4.4 do so with all
that they have, 3.9 with what only it has. Counted are pairs of message and version that went well in both directions.
"""
import glob
import os
import subprocess
import tempfile

import kafka
import schema_jars
from checks import Checks

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ROUNDS = 12


def peer():
    """Our side: tests/compat/wire/wire_peer.cc, the build that is newest."""
    found = glob.glob(os.path.join(ROOT, "build", "*", "tests", "compat", "wire", "wire_peer"))
    if not found:
        raise kafka.Missing("wire_peer is not built; run ./dev compat wire")
    return max(found, key=os.path.getmtime)


class Release:
    """Kafka's message classes of one release line, driven by WireMessages.java."""

    def __init__(self, line, work):
        self.line = line
        jars = sorted(glob.glob(os.path.join(schema_jars.folder(line), "*.jar")))
        classes = os.path.join(work, f"classes-{line}")
        os.makedirs(classes)
        kafka.need("javac", "default-jdk-headless")
        done = subprocess.run(["javac", "-cp", ":".join(jars), "-d", classes, os.path.join(HERE, "wire", "WireMessages.java")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(done.stdout.decode())
        self.path = ":".join([classes, *jars])

    def run(self, *arguments):
        return run(["java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", self.path, "WireMessages", *arguments])


def run(command):
    """(lines of stdout as a set, lines of stderr that tell of a difference, exit status)"""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600)
    said = [line for line in done.stderr.decode(errors="replace").splitlines() if not line.startswith("SLF4J")]
    return set(done.stdout.decode().splitlines()), said, done.returncode


def compare(checks, work, release, wanted, ours):
    """(pairs that we read and wrote as Kafka did, pairs of ours that Kafka did)"""
    want, theirs = os.path.join(work, "wanted"), os.path.join(work, "theirs")
    with open(want, "w") as f:
        f.writelines(f"{pair}\n" for pair in sorted(wanted))
    made, said, status = release.run("make", want, theirs, str(ROUNDS))
    checks.check(f"Kafka {release.line}: made {len(made)} of {len(wanted)} (message, version) pairs", made and status == 0, said)
    read, said, status = run([peer(), "check", theirs])
    checks.check(f"Kafka {release.line}: {len(read)} of {len(made)} pairs of Kafka's are the same bytes when we wrote them",
                 read == made and status == 0, said)
    again, said, status = release.run("check", ours, want)
    checks.check(f"Kafka {release.line}: {len(again)} of {len(made)} pairs of ours are the same bytes when Kafka wrote them",
                 again == made and status == 0, said)
    return read, again


def main(_arguments):
    checks = Checks()
    checks.check("our schemas equal those in Kafka's jars", schema_jars.check() == 0)
    with tempfile.TemporaryDirectory(prefix="moldau-wire-") as work:
        ours = os.path.join(work, "ours")
        pairs, _, _ = run([peer(), "pairs"])
        run([peer(), "make", ours, str(ROUNDS)])
        read, again = set(), set()
        for line in ("4.4", "4.3", "3.9"):
            wanted = pairs - (read & again) if line == "3.9" else pairs
            one, two = compare(checks, work, Release(line, work), wanted, ours)
            read |= one
            again |= two
        good = pairs & read & again
        checks.check(f"{len(good)} of {len(pairs)} (message, version) pairs in both directions", pairs and good == pairs, sorted(pairs - good))
    return checks.result()
