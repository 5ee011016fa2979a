"""Apache Kafka 4.3.1 from its published packages: fetch, format, run, ask its tools."""
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

import rawclient

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "interop"))
VERSION = "4.3.1"
OLDER = "3.9.1"         # of the line that still had message formats and versions which 4.x dropped
LOG = f"-Dlog4j2.configurationFile=file:{HERE}/log4j2.properties"


class Missing(Exception):
    """Something that must be installed; the text says how."""


def need(program, package):
    if shutil.which(program) is None:
        raise Missing(f"{program} is missing; install it with: apt-get install {package}")


def jars(version=VERSION):
    """The folder of a release's jars, fetched by Maven the first time."""
    need("java", "default-jdk-headless")
    libs = os.path.join(os.path.dirname(rawclient.CACHE), f"kafka-{version}", "libs")
    if not os.path.exists(os.path.join(libs, ".complete")):
        need("mvn", "maven")
        print(f"fetching Apache Kafka {version} into {libs} (once)", file=sys.stderr, flush=True)
        shutil.rmtree(libs, ignore_errors=True)
        done = subprocess.run(["mvn", "-q", "-B", "-f", os.path.join(HERE, "pom.xml"), f"-Dkafka.version={version}", "dependency:copy-dependencies",
                               f"-DoutputDirectory={libs}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise Missing(f"Maven could not fetch Apache Kafka {version}:\n{done.stdout.decode()[-3000:]}")
        open(os.path.join(libs, ".complete"), "w").close()
    return libs


def clients_jar():
    return os.path.join(jars(), f"kafka-clients-{VERSION}.jar")


def tool(name, *arguments, timeout=300, version=VERSION):
    """Runs one of Kafka's programs; (exit status, stdout, stderr)."""
    done = subprocess.run(["java", "-Xmx512m", LOG, "-cp", f"{jars(version)}/*", name, *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def server_command(folder, version=VERSION):
    return ["java", "-Xms256m", "-Xmx512m", "-XX:+UseG1GC", "-Djava.awt.headless=true", LOG, "-cp", f"{jars(version)}/*", "kafka.Kafka",
            os.path.join(folder, "server.properties")]


def format_node(folder, listen, version=VERSION, more_dirs=()):
    """Writes server.properties for one combined node and formats it; does nothing to a folder that has it already.
    more_dirs: further data directories."""
    from broker import free_port
    properties = os.path.join(folder, "server.properties")
    if os.path.exists(properties):
        return
    os.makedirs(folder, exist_ok=True)
    host, _, port = listen.rpartition(":")
    controller = free_port()
    with open(properties + ".new", "w") as f:
        f.write(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={",".join([folder, *more_dirs])}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=3000
""")
    os.rename(properties + ".new", properties)
    _, out, err = tool("kafka.tools.StorageTool", "random-uuid", version=version)
    status, out, err = tool("kafka.tools.StorageTool", "format", "-t", out.strip().splitlines()[-1], "-c", properties, version=version)
    if status != 0:
        raise RuntimeError(f"kafka.tools.StorageTool format: {out}{err}")


class Server:
    """A running Kafka with its folder."""

    def __init__(self, folder, version=VERSION, more_dirs=()):
        from broker import free_port
        self.version = version
        self.folder, self.log = folder, os.path.join(folder, "kafka.log")
        self.address = f"127.0.0.1:{free_port()}"
        format_node(folder, self.address, version, more_dirs)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(server_command(self.folder, self.version), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        rawclient.wait_until(lambda: ping(self.address) or self.process.poll() is not None, 90, "Apache Kafka to serve")
        if self.process.poll() is not None:
            raise RuntimeError(f"Apache Kafka ended with {self.process.returncode}\n{self.tail()}")
        return self

    def tail(self):
        with open(self.log, errors="replace") as f:
            return f.read()[-4000:]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise RuntimeError(f"Apache Kafka did not stop in 60 s\n{self.tail()}") from None


def ping(address):
    """Whether a broker answers Metadata v1 for no topics with itself in the broker list: Kafka listens long before it serves."""
    import struct
    try:
        with rawclient.Connection(address, timeout=2) as connection:
            connection.send_frame(struct.pack(">hhihi", 3, 1, 1, -1, 0))
            return struct.unpack_from(">ii", connection.receive_frame())[1] == 1
    except (OSError, rawclient.Closed, rawclient.Silent):
        return False


def dump(*files, deep=True):
    """DumpLogSegments on some files: (records by file, complaints)."""
    arguments = ["--files", ",".join(files)] + (["--deep-iteration", "--print-data-log"] if deep else [])
    status, out, err = tool("org.apache.kafka.tools.DumpLogSegments", *arguments)
    complaints = [] if status == 0 else [f"DumpLogSegments ended with {status}"]
    said = "".join(line + "\n" for line in err.splitlines() if "SLF4J" not in line and "log4j" not in line.lower())
    return parse_dump(out + "\n" + said, complaints)


# What the tool prints when all is well; every other line is a complaint.
_FINE = ("Log starting offset: ", "baseOffset: ", "offset: ", "timestamp: ", "| offset: ", "producerId: ", "version: ")


def parse_dump(out, complaints):
    files, current, gaps_in = {}, None, None
    for line in out.splitlines():
        if line.startswith("Dumping "):
            current = files.setdefault(line.removeprefix("Dumping ").strip(), {"records": [], "batches": [], "entries": [], "lines": []})
        elif line.startswith("| offset: "):
            found = re.match(r"\| offset: (\d+) .*?(?:payload: (.*))?$", line)
            current["records"].append((int(found[1]), found[2]))
            current["lines"].append(line)
        elif line.startswith("baseOffset: "):
            current["batches"].append(line)
            current["lines"].append(line)
            if "isvalid: true" not in line:
                complaints.append(line)
        elif line.startswith(("offset: ", "timestamp: ")):
            current["entries"].append(line)
        elif line.startswith("Non-consecutive offsets in "):
            gaps_in = line.removeprefix("Non-consecutive offsets in ")
        elif " is followed by " in line:
            # The tool starts counting at -1, so it says this of every segment that does not start at 0: its habit, no damage.
            if line.split() != ["-1", "is", "followed", "by", str(int(os.path.basename(gaps_in).split(".")[0]))]:
                complaints.append(f"{gaps_in}: {line.strip()}")
        elif line.strip() and not line.startswith(_FINE) and not line.endswith("index is empty."):
            complaints.append(line)
    return files, complaints


def shell(words):
    return " ".join(shlex.quote(w) for w in words)
