"""`moldau storage` beside kafka-storage.sh: the same command lines give the same output and exit code, and Apache Kafka starts on
directories that ours has formatted."""
import os
import re
import shutil
import subprocess
import tempfile

import broker
import kafka
import rawclient
from checks import Checks

ID = "4L6g3nShT-eMCtK--X86sw"
PROPERTIES = """process.roles=broker,controller
node.id=1
{quorum}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={dirs}
offsets.topic.replication.factor=1
"""
# Each set begins with empty directories. two: two directories and a quorum that is configured; lone: one, and a quorum that is formatted.
SETS = [
    [("info", "two"), ("format", "two", "-t", ID), ("info", "two"), ("format", "two", "-t", ID, "--ignore-formatted"),
     ("format", "two", "-t", "another")],
    [("format", "two", "-t", ID, "-r", "3.9"), ("info", "two")],
    [("format", "two", "-t", ID, "-r", "4.0-IV1", "-f", "group.version=0")],
    [("format", "two", "-t", ID, "--standalone"), ("format", "lone", "-t", ID), ("format", "lone", "-t", ID, "--standalone"), ("info", "lone")],
    [("format", "lone", "-t", ID, "-N"), ("info", "lone")],
    [("format", "two", "-t", ID, "-r", "9.9"), ("format", "two", "-t", ID, "-f", "no.such=1")],
    [("version-mapping",), ("version-mapping", "-r", "4.0"), ("version-mapping", "-r", "3.3-IV3")],
]


def ours(arguments):
    done = subprocess.run([broker.PROGRAM, "storage", *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def theirs(arguments):
    return kafka.tool("kafka.tools.StorageTool", *arguments)


class Stage:
    """A folder with both configurations and nothing formatted."""

    def __init__(self, folder):
        self.folder = folder
        port, controller = broker.free_port(), broker.free_port()
        self.address = f"127.0.0.1:{port}"
        self.dirs = {"two": ["a", "b"], "lone": ["c"]}
        for name, quorum in (("two", f"controller.quorum.voters=1@127.0.0.1:{controller}"),
                             ("lone", f"controller.quorum.bootstrap.servers=127.0.0.1:{controller}")):
            with open(self.file(name), "w") as out:
                out.write(PROPERTIES.format(quorum=quorum, port=port, controller=controller,
                                            dirs=",".join(os.path.join(folder, d) for d in self.dirs[name])))

    def file(self, name):
        return os.path.join(self.folder, f"{name}.properties")

    def clear(self):
        for name in sum(self.dirs.values(), []):
            shutil.rmtree(os.path.join(self.folder, name), ignore_errors=True)

    def words(self, command):
        return [command[0], *(["-c", self.file(command[1])] if len(command) > 1 and command[1] in self.dirs else []),
                *[w for w in command[1:] if w not in self.dirs]]

    def outcome(self, tool, command):
        """(exit code, what it says without ids of its own); of several lines about directories the order does not count."""
        code, out, err = tool(self.words(command))
        said = re.sub(r"directory\.id=[\w-]{22}", "directory.id=…", out + err)
        said = re.sub(r'Exception in thread "main" \S+: ', "", said)
        said = re.sub(r", 4\.4-IV0", "", said)          # of a release that is not out
        return code, sorted(line for line in said.splitlines() if line.strip() and not line.startswith(("\tat ", "SLF4J")))

    def run(self, tool, commands):
        self.clear()
        return [self.outcome(tool, command) for command in commands]

    def files(self):
        return sorted(os.path.relpath(os.path.join(root, name), self.folder) for d in sum(self.dirs.values(), [])
                      for root, _, names in os.walk(os.path.join(self.folder, d)) for name in names)


def compare(checks, stage):
    equal = total = 0
    for commands in SETS:
        wanted = stage.run(theirs, commands)
        wanted_files = stage.files()
        got = stage.run(ours, commands)
        for command, mine, other in zip(commands, got, wanted):
            total += 1
            equal += mine == other
            if mine != other:
                checks.check(f"storage {' '.join(command)}", False, [f"ours {mine}", f"Kafka's {other}"])
        if stage.files() != wanted_files:
            checks.check(f"files after {commands}", False, [stage.files(), wanted_files])
    checks.check(f"{equal} of {total} command lines of storage equal, and the files that they make", equal == total)


def start(checks, stage, name, *more):
    """Kafka on what we have formatted."""
    stage.clear()
    code, out, err = ours(stage.words(("format", name, "-t", ID, *more)))
    log = os.path.join(stage.folder, "kafka.log")
    with open(log, "wb") as said:
        process = subprocess.Popen(["java", "-Xms256m", "-Xmx512m", kafka.LOG, "-cp", f"{kafka.jars()}/*", "kafka.Kafka", stage.file(name)],
                                   stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        rawclient.wait_until(lambda: kafka.ping(stage.address) or process.poll() is not None, 90, "Apache Kafka")
        served = process.poll() is None
    finally:
        process.terminate()
        process.wait(60)
    with open(log, errors="replace") as said:
        text = said.read()
    checks.check(f"Kafka {kafka.VERSION} serves on what we formatted: {name} {' '.join(more)}".rstrip(), code == 0 and served,
                 [out, err, *text.splitlines()[-8:]])


def main(_arguments):
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="moldau-storage-") as folder:
        stage = Stage(folder)
        compare(checks, stage)
        start(checks, stage, "two")
        start(checks, stage, "lone", "--standalone")
    return checks.result()
