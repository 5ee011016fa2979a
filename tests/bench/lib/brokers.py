# Starts and stops the brokers that are compared, and reads from /proc what they cost. Used by the benchmarks beside.
import glob
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
MOLDAU = os.environ.get("MOLDAU", ROOT + "/build/release/moldau")
TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 120  # seconds until a broker must answer
# Kafka's own start script, in its words.
KAFKA_FLAGS = ["-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
               "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true"]
QUIET_LOG4J = """<Configuration><Appenders><Console name="out"/></Appenders>
<Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers></Configuration>"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def api_versions(port, timeout=1.0):
    """One ApiVersions v0 request; True if it was answered without an error."""
    body = struct.pack(">hhih", 18, 0, 7, -1)
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        s.sendall(struct.pack(">i", len(body)) + body)
        answer = b""
        while len(answer) < 10:
            piece = s.recv(65536)
            if not piece:
                return False
            answer += piece
        return struct.unpack(">iih", answer[:10])[1:] == (7, 0)


def find_kafka(given=None):
    """The folder with Kafka's jars, or None."""
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    places = [given or os.environ.get("KAFKA_LIBS")] if given or os.environ.get("KAFKA_LIBS") else [
        cache + "/moldau/kafka-4.3.1/libs", cache + "/kafka-here/4.3.1/libs"]
    for place in places:
        if glob.glob(place + "/kafka-clients-*.jar"):
            return place
    return None


class Broker:
    """A running broker, or one that can run: its process, its port, its data."""

    def __init__(self, name):
        self.name = name
        self.home = tempfile.mkdtemp(prefix="moldau-bench-", dir=os.environ.get("TMPDIR", "/var/tmp"))
        self.port = free_port()
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        """Returns seconds and CPU seconds until the first answer to ApiVersions."""
        began = time.monotonic()
        log = open(self.home + "/log", "ab")
        self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        while True:
            try:
                if api_versions(self.port):
                    return time.monotonic() - began, self.cpu_of_threads()
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() - began > PATIENCE:
                raise SystemExit(f"{self.name} did not start: see {self.home}/log")
            time.sleep(0.0005)

    def stop(self):
        """Returns seconds from SIGTERM to the end of the process."""
        if not self.process:
            return 0.0
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        return time.monotonic() - began

    def remove(self):
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def cpu(self):
        """CPU seconds of the whole process since its start."""
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def cpu_of_threads(self):
        """CPU seconds of the threads that live now, to the nanosecond: for short spans."""
        total = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            try:
                with open(path) as f:
                    total += int(f.read().split()[0])
            except OSError:
                pass  # a thread that has just ended
        return total / 1e9

    def memory(self, what="VmRSS"):
        """MiB."""
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(rf"^{what}:\s+(\d+) kB", f.read(), re.M).group(1)) / 1024


class Moldau(Broker):
    def __init__(self, name="moldau", options=()):
        super().__init__(name)
        self.options = list(options)

    def command(self):
        return [MOLDAU, "dev", "--data", self.home + "/data", "--listen", self.address, *self.options]


class Kafka(Broker):
    """Apache Kafka as one combined node, with the flags of its own start script; logging less than that does."""

    def __init__(self, libs, heap="1g", name="kafka"):
        super().__init__(name)
        self.libs, self.heap = libs, heap
        controller = free_port()
        with open(self.home + "/log4j2.xml", "w") as f:
            f.write(QUIET_LOG4J)
        with open(self.home + "/server.properties", "w") as f:
            f.write(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={self.home}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.segment.delete.delay.ms=100
""")
        self.run("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", self.home + "/server.properties")

    def java(self, *flags):
        return ["java", *flags, f"-Dlog4j2.configurationFile=file:{self.home}/log4j2.xml", "-cp", self.libs + "/*"]

    def run(self, name, *arguments):
        done = subprocess.run(self.java("-Xmx256m") + [name, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise SystemExit(done.stdout.decode())

    def command(self):
        return self.java(f"-Xms{self.heap}", f"-Xmx{self.heap}", *KAFKA_FLAGS) + ["kafka.Kafka", self.home + "/server.properties"]
