"""Starts, kills and stops brokers for the interop tests, and knows where the one under test listens."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("MOLDAU_TEST_BROKER", os.path.join(ROOT, "build", "moldau")))
AGAINST = os.environ.get("MOLDAU_TEST_BOOTSTRAP", "")       # set: use this broker, start none
KEEP = os.environ.get("MOLDAU_TEST_KEEP", "")               # set: the shared broker's data directory, left behind


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, seconds, what):
    """Polls until `condition()` is true and returns its value; TimeoutError says what did not happen."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)


class Broker:
    """One `moldau dev` process with its data directory; the directory outlives the process so that it can be started again."""

    def __init__(self, data=None, port=None, program=None, ephemeral=False, more_dirs=(), settings=()):
        self.program, self.ephemeral = program or PROGRAM, ephemeral
        self.base = tempfile.mkdtemp(prefix="moldau-interop-")
        self.data = data or os.path.join(self.base, "data")
        self.more_dirs, self.settings = more_dirs, settings      # beside data; (name, value) for --set
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process, self.lines, self.errors = None, [], os.path.join(self.base, "stderr")

    def start(self, wait=60):
        where = ["--ephemeral"] if self.ephemeral else ["--data", self.data, *(word for folder in self.more_dirs for word in ("--data", folder))]
        command = [self.program, "dev", *where, "--listen", self.address, *(word for name, value in self.settings for word in ("--set", f"{name}={value}"))]
        self.lines = []
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True).start()
        try:
            wait_until(lambda: self.ready() or self.process.poll() is not None, wait, f"'ready' from {' '.join(command)}")
        except TimeoutError as error:
            self.kill()
            raise RuntimeError(f"{error}\n{self.output()}") from None
        if not self.ready():
            raise RuntimeError(f"{' '.join(command)} ended with {self.process.returncode}\n{self.output()}")
        return self

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.decode(errors="replace").rstrip("\n"))
        stream.close()

    def ready(self):
        return any("ready" in line.lower() for line in list(self.lines))

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self, wait=60):
        """SIGTERM; the exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(wait)
            return 0 if status == 128 + signal.SIGTERM and os.path.basename(self.program) == "kafka-dev" else status   # Java's clean stop
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"the broker did not stop within {wait} s of SIGTERM\n{self.output()}") from None

    def output(self, limit=3000):
        errors = ""
        if os.path.exists(self.errors):
            with open(self.errors, errors="replace") as f:
                errors = f.read()[-limit:]
        return f"--- broker stdout\n{chr(10).join(self.lines)[-limit:]}\n--- broker stderr\n{errors}"

    def remove(self):
        if self.alive():
            self.kill()
        shutil.rmtree(self.base, ignore_errors=True)


class Shared:
    """The broker that all tests use which do not hurt it: started at the first use, checked and removed at the end."""
    broker = None

    @classmethod
    def address(cls):
        if AGAINST:
            return AGAINST
        if cls.broker is None:
            cls.broker = Broker(data=KEEP or None)
            cls.broker.start()
        return cls.broker.address

    @classmethod
    def output(cls):
        return cls.broker.output() if cls.broker else ""

    @classmethod
    def finish(cls):
        """The exit status of the shared broker's clean stop, None if there was none."""
        if cls.broker is None:
            return None
        alive, status = cls.broker.alive(), None
        try:
            status = cls.broker.stop()
        finally:
            cls.broker.remove()
            cls.broker = None
        return status if alive else "dead before the end"
