"""A running client program: questions go in as JSON lines, answers come out as JSON lines (clients/README.md has the questions)."""
import base64
import json
import queue
import subprocess
import tempfile
import threading
import time


class Failed(Exception):
    """The client said that what was asked of it failed; `code` is Kafka's error code if it named one."""

    def __init__(self, text, code=None):
        super().__init__(text)
        self.text, self.code = text, code


class Cannot(Exception):
    """The client has no such feature, and says why."""


class Broken(Exception):
    """The program ended, or gave no answer in time."""


class Cell:
    def __init__(self, name, command, address, folder=None):
        self.name, self.address, self.folder = name, address, folder
        self.command = command
        self.process = None
        self.answers, self.events = queue.Queue(), []
        self.changed = threading.Condition()

    def start(self):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()

    def _read(self, stream):
        for line in stream:
            if not line.startswith(b"{"):
                continue            # a library that logs to stdout
            said = json.loads(line)
            if "event" in said:
                with self.changed:
                    self.events.append(said)
                    self.changed.notify_all()
            else:
                self.answers.put(said)
        self.answers.put(None)
        stream.close()

    def ask(self, do, seconds=60, **fields):
        """The answers to one question, without the closing one."""
        if self.process is None:
            self.start()
        question = {"do": do, "bootstrap": self.address, "seconds": seconds / 2, **fields}
        try:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise Broken(f"{self.name} has ended before '{do}'\n{self.tail()}") from None
        out, deadline = [], time.monotonic() + seconds
        while True:
            try:
                said = self.answers.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise Broken(f"{self.name} did not answer '{do}' in {seconds} s\n{self.tail()}") from None
            if said is None:
                raise Broken(f"{self.name} ended in '{do}'\n{self.tail()}")
            if "cannot" in said:
                raise Cannot(said["cannot"])
            if "failed" in said:
                raise Failed(f"{self.name}, {do}: {said['failed']}", said.get("code"))
            if "done" in said:
                return out
            out.append(said)

    def wait(self, condition, what, seconds=45):
        """Waits until `condition(events)` is true and returns it."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not (value := condition(self.events)):
                left = deadline - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    raise Broken(f"{self.name}: waited {seconds} s for {what}; events {str(self.events)[-600:]}\n{self.tail()}")
                self.changed.wait(min(left, 1))
            return value

    def assigned(self):
        """The partitions that a member owns now; None before its first assignment."""
        with self.changed:
            for event in reversed(self.events):
                if event["event"] == "assigned":
                    return set(event["partitions"])
        return None

    def records(self):
        with self.changed:
            return [unpack(event) for event in self.events if event["event"] == "record"]

    def tail(self):
        if self.process is None:
            return ""
        self.errors.seek(0)
        return self.errors.read()[-1500:].decode(errors="replace")

    def end(self):
        if self.process is None:
            return
        try:
            self.process.stdin.close()
            self.process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def pack(value):
    return None if value is None else base64.b64encode(value).decode()


def record(value, key=None, timestamp=None, headers=()):
    """A record as the programs want it."""
    return {"key": pack(key), "value": pack(value), "timestamp": timestamp, "headers": [[name, pack(v)] for name, v in headers]}


def unpack(said):
    def bytes_of(text):
        return None if text is None else base64.b64decode(text)
    return {**said, "key": bytes_of(said.get("key")), "value": bytes_of(said.get("value")),
            "headers": [(name, bytes_of(v)) for name, v in said.get("headers") or []]}
