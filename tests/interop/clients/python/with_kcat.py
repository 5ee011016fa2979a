"""kcat behind the questions of ../README.md: each question is a run of kcat. It tells no offsets of what it has produced."""
import io
import json
import os
import re
import subprocess
import tempfile
import threading

from cell import Cannot, CodedError, say, say_record, serve, unpack

FORMAT = "%p %o %T %K %S %h\n%k%s"      # a line, then as many bytes as it says
CODES = {"Unknown topic or partition": 3, "Message size too large": 10, "Offset out of range": 1}


def code_of(error):
    for text, code in CODES.items():
        if text in str(error):
            return code
    return None


def run(ask, *arguments, stdin=b""):
    done = subprocess.run(["kcat", "-b", ask["bootstrap"], *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=ask["seconds"])
    if done.returncode != 0:
        text = done.stderr.decode(errors="replace")
        raise CodedError(code_of(text), text[-500:])
    return done.stdout


def say_records(read, **more):
    """Records of FORMAT as `read(number of bytes)` and lines give them."""
    while line := read.readline():
        partition, offset, timestamp, key_length, value_length, *headers = line.decode().rstrip("\n").split(" ", 5)
        key = read.read(int(key_length)) if int(key_length) >= 0 else None
        value = read.read(int(value_length)) if int(value_length) >= 0 else None
        pairs = [pair.partition("=") for pair in headers[0].split(",")] if headers and headers[0] else []
        say_record(int(partition), int(offset), int(timestamp), key, value, [(name, text.encode()) for name, _, text in pairs], **more)


class Program:
    def about(self, ask):
        text = subprocess.run(["kcat", "-V"], stdout=subprocess.PIPE).stdout.decode()
        say(client="kcat", version=re.search(r"Version (\S+)", text)[1] + " (librdkafka " + re.search(r"librdkafka (\S+)", text)[1] + ")")

    def produce(self, ask):
        records = ask["records"]
        if any(r["timestamp"] is not None for r in records):
            raise Cannot("no timestamps of one's own")
        if any(b"\x00" in (unpack(v) or b"") or b"\xff" in (unpack(v) or b"") for r in records for _, v in r["headers"]):
            raise Cannot("headers are text")
        where = ["-p", str(ask["partition"])] if ask.get("partition") is not None else []
        base = ["-P", "-t", ask["topic"], *where, "-z", ask.get("codec", "none"), "-X", f"acks={ask.get('acks', 'all')}",
                "-X", f"enable.idempotence={'true' if ask.get('idempotent') else 'false'}", "-X", f"message.timeout.ms={int(ask['seconds'] * 900)}",
                "-X", "allow.auto.create.topics=false"]
        if ask.get("limit"):
            base += ["-X", f"message.max.bytes={ask['limit']}"]
        if len(records) > 20 and not any(r["headers"] for r in records):
            # Many at once: one line of stdin each, with the key before a tab.
            keyed = records[0]["key"] is not None
            lines = [((unpack(r["key"]) + b"\t") if keyed else b"") + unpack(r["value"]) + b"\n" for r in records]
            run(ask, *base, *(["-K", "\t"] if keyed else []), stdin=b"".join(lines))
            return
        for r in records:
            key, value = unpack(r["key"]), unpack(r["value"])
            if key is not None and (not key or b"\x00" in key) or not value:
                raise Cannot("a key or a value that is empty, missing or has zero bytes cannot be said on a command line")
            with tempfile.NamedTemporaryFile() as file:
                file.write(value)
                file.flush()
                headers = [word for name, v in r["headers"] for word in ("-H", f"{name}={(unpack(v) or b'').decode()}")]
                run(ask, *base, *(["-k", os.fsdecode(key)] if key is not None else []), *headers, file.name)

    def consume(self, ask):
        if ask["offset"] >= 1000:
            raise Cannot("an offset out of range is reset")
        out = run(ask, "-C", "-q", "-t", ask["topic"], "-p", str(ask["partition"]), "-o", str(ask["offset"]), "-c", str(ask["count"]),
                  "-f", FORMAT, "-X", "fetch.message.max.bytes=8388608")
        say_records(io.BytesIO(out))

    def list_offsets(self, ask):
        at = {"earliest": -2, "latest": -1}.get(ask["at"], ask["at"])
        out = run(ask, "-Q", "-t", f"{ask['topic']}:{ask['partition']}:{at}").decode()
        say(offset=int(re.search(r"offset (-?\d+)", out)[1]))

    # ---- groups
    def member(self, ask):
        if ask.get("protocol") == "consumer":
            raise Cannot("the consumer protocol came with librdkafka 2.12")
        instance = ["-X", f"group.instance.id={ask['instance']}"] if ask.get("instance") else []
        self.process = subprocess.Popen(["kcat", "-b", ask["bootstrap"], "-u", "-G", ask["group"], "-f", FORMAT, "-X", "session.timeout.ms=10000",
                                         "-X", f"auto.offset.reset={ask.get('reset', 'earliest')}", "-X", "topic.metadata.refresh.interval.ms=2000",
                                         "-X", "partition.assignment.strategy=roundrobin", "-X", "auto.commit.interval.ms=200", *instance, ask["topic"]],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        threading.Thread(target=say_records, args=(self.process.stdout,), kwargs={"event": "record"}, daemon=True).start()
        threading.Thread(target=self._watch, args=(self.process.stderr,), daemon=True).start()

    @staticmethod
    def _watch(stream):
        for line in stream:
            text = line.decode(errors="replace")
            if "assigned:" in text:
                say(event="assigned", partitions=sorted(int(p) for p in re.findall(r"\[(\d+)\]", text.partition("assigned:")[2])))
            elif "revoked:" in text:
                say(event="assigned", partitions=[])

    def commit(self, ask):
        """kcat commits by itself, at the latest when it leaves."""

    def leave(self, ask):
        self.process.terminate()
        self.process.wait(ask["seconds"])

    # ---- what it can say of topics
    def describe_topic(self, ask):
        found = json.loads(run(ask, "-L", "-J", "-t", ask["topic"], "-X", "allow.auto.create.topics=false"))["topics"][0]
        if "error" in found:
            raise CodedError(code_of(found["error"].replace("Broker: ", "")), found["error"])
        say(partitions=len(found["partitions"]))


if __name__ == "__main__":
    serve(Program(), code_of)
