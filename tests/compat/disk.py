"""Log directories: Kafka's dump tool over what ours left behind; ours over a partition that Kafka wrote."""
import glob
import json
import os
import shutil
import subprocess
import tempfile

import kafka
import messages
import rawclient
import records
from checks import Checks

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def kcat(address, *arguments, stdin=None):
    done = subprocess.run(["kcat", "-b", address, *arguments], input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"kcat {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def create(address, protocol, topic, partitions, segment_bytes, settings=()):
    """A topic with small segments and other settings where the broker knows how, with its usual ones where not; the topic's id."""
    with rawclient.Connection(address, protocol) as connection:
        wanted = {"segment.bytes": str(segment_bytes), **dict(settings)}
        for configs in ([{"Name": name, "Value": value} for name, value in wanted.items()], []):
            answer = connection.call("CreateTopics", 7, timeoutMs=10_000, Topics=[
                {"Name": topic, "NumPartitions": partitions, "ReplicationFactor": 1, "Configs": configs}])["Topics"][0]
            if not answer["ErrorCode"]:
                break
        else:
            raise RuntimeError(f"creating {topic}: {answer}")

        def open_for_business():
            parts = connection.call("ListOffsets", 5, ReplicaId=-1, Topics=[
                {"Name": topic, "Partitions": [{"PartitionIndex": p, "Timestamp": -1} for p in range(partitions)]}])["Topics"][0]["Partitions"]
            return not any(p["ErrorCode"] for p in parts)
        rawclient.wait_until(open_for_business, 20, f"{topic} to open")
        return answer["TopicId"]


def value(codec, i):
    return f"{codec} {i} " + "abcdefghij" * (i % 60)


def produce_codecs(address, topic, first, count):
    """Partition n gets `count` records of codec n, keys and headers included."""
    for partition, codec in enumerate(CODECS):
        lines = "".join(f"key{i % 7}:{value(codec, i)}\n" for i in range(first, first + count))
        kcat(address, "-P", "-t", topic, "-p", str(partition), "-K:", "-z", codec, "-H", "h=v", "-X", "batch.num.messages=100", "-X", "linger.ms=100",
             stdin=lines.encode())


def read_back(address, topic, partition):
    out = kcat(address, "-C", "-q", "-e", "-t", topic, "-p", str(partition), "-o", "beginning", "-J")
    return [(r["offset"], r["key"], r["payload"]) for r in map(json.loads, out.splitlines())]


def log_files(folder, *endings):
    return sorted(f for ending in endings for f in glob.glob(os.path.join(folder, "[!_]*-*", f"*{ending}")))


# --- ours, read by Kafka

def leave_a_directory_behind(broker, checks):
    """Every codec, several partitions, an idempotent producer, large records, a kill -9, a clean stop."""
    protocol = messages.Protocol(kafka.clients_jar())
    broker.start()
    create(broker.address, protocol, "codecs", len(CODECS), 1 << 20)
    create(broker.address, protocol, "idempotent", 1, 1 << 20)
    create(broker.address, protocol, "large", 1, 1 << 20)
    create(broker.address, protocol, "empty", 2, 1 << 20)
    produce_codecs(broker.address, "codecs", 0, 1500)
    kcat(broker.address, "-P", "-t", "idempotent", "-X", "enable.idempotence=true", "-X", "batch.num.messages=50",
         stdin="".join(f"{value('idempotent', i)}\n" for i in range(2000)).encode())
    for i in range(6):
        kcat(broker.address, "-P", "-t", "large", stdin=(f"{i}" + "L" * 900_000).encode())
    broker.kill()
    broker.start()
    produce_codecs(broker.address, "codecs", 1500, 500)
    for partition, codec in enumerate(CODECS):
        wanted = [(i, f"key{i % 7}", value(codec, i)) for i in range(2000)]
        checks.check(f"{codec}: 2,000 records are read back after the kill", read_back(broker.address, "codecs", partition) == wanted)
    checks.check("clean stop", broker.stop() == 0)


def check_dump(broker, checks):
    files, complaints = kafka.dump(*log_files(broker.data, ".log"))
    checks.check("DumpLogSegments --deep-iteration reads each .log", not complaints, complaints)
    for partition, codec in enumerate(CODECS):
        stored = [r for path in sorted(files) if f"/codecs-{partition}/" in path for r in files[path]["records"]]
        checks.check(f"{codec}: it sees 2,000 records with their offsets and bytes", stored == [(i, value(codec, i)) for i in range(2000)],
                     [f"{len(stored)} records, first {stored[:1]}"])
        names = {line.split("compresscodec: ")[1].split()[0] for path in files if f"/codecs-{partition}/" in path for line in files[path]["batches"]}
        # librdkafka leaves a batch alone that would only grow, such as one of a single short record.
        checks.check(f"{codec}: the batches on disk are {codec}", codec in names and names <= {codec, "none"}, [str(names)])
    one = [r for path in sorted(files) if "/idempotent-0/" in path for r in files[path]["records"]]
    checks.check("idempotent: 2,000 records", one == [(i, value("idempotent", i)) for i in range(2000)], [f"{len(one)} records"])
    large = [r for path in sorted(files) if "/large-0/" in path for r in files[path]["records"]]
    checks.check("large: 6 records of 900,001 bytes", [(o, len(p)) for o, p in large] == [(i, 900_001) for i in range(6)], [f"{len(large)} records"])
    checks.note(f"{len(files)} segments, {sum(len(f['batches']) for f in files.values())} batches")


def check_indexes(broker, checks):
    every = log_files(broker.data, ".index", ".timeindex")
    orphans = [f for f in every if not os.path.exists(os.path.splitext(f)[0] + ".log")]
    checks.check("each index file has its .log, empty partitions included", not orphans, orphans)
    indexes = [f for f in log_files(broker.data, ".index") if f not in orphans]
    status, out, err = kafka.tool("org.apache.kafka.tools.DumpLogSegments", "--index-sanity-check", "--files", ",".join(indexes))
    passed = out.count("passed sanity check") + out.count(".index is empty.")
    checks.check(f"index sanity check: {len(indexes)} of {len(indexes)} pass", status == 0 and passed == len(indexes), [out[-1500:], err[-1500:]])
    rest = [f for f in log_files(broker.data, ".timeindex", ".snapshot", ".txnindex") if f not in orphans]
    found, complaints = kafka.dump(*indexes, *rest, deep=False)
    checks.check("each index entry agrees with the log", not complaints, complaints)
    dense = [path for path in found if "/codecs-0/" in path and path.endswith(".index")]
    checks.check("the offset index of 20 batches of 30 KB has entries", all(len(found[path]["entries"]) > 15 for path in dense),
                 [f"{path}: {len(found[path]['entries'])}" for path in dense])
    timed = [path for path in found if "/codecs-0/" in path and path.endswith(".timeindex")]
    checks.check("so has the time index (as many as the clock moved on)", all(found[path]["entries"] for path in timed),
                 [f"{path}: {len(found[path]['entries'])}" for path in timed])


def ours(_arguments):
    from broker import Broker
    checks, broker = Checks(), Broker()
    try:
        with checks.step("a run of ours", broker.output):
            leave_a_directory_behind(broker, checks)
            check_dump(broker, checks)
            check_indexes(broker, checks)
    finally:
        broker.remove()
    return checks.result()


# --- theirs, served by ours

def kafka_directory(folder, protocol):
    """A partition directory that Kafka wrote and closed: (its path, the records as kcat reads them from Kafka)."""
    server = kafka.Server(folder).start()
    try:
        create(server.address, protocol, "theirs", 1, 1 << 20)
        for turn in range(2):
            for codec in CODECS:
                lines = "".join(f"key{i % 5}:{value(codec, i)}\n" for i in range(turn * 700, turn * 700 + 700))
                kcat(server.address, "-P", "-t", "theirs", "-K:", "-z", codec, "-H", "h=v", "-X", "batch.num.messages=64",
                     "-X", f"enable.idempotence={'true' if turn else 'false'}", stdin=lines.encode())
        for i in range(3):
            kcat(server.address, "-P", "-t", "theirs", stdin=(f"{i}" + "L" * 700_000).encode())
        wanted = read_back(server.address, "theirs", 0)
    finally:
        server.stop()
    return os.path.join(folder, "theirs-0"), wanted


def adopt(broker, folder):
    """All that Kafka left is a data directory of ours."""
    shutil.copytree(folder, broker.data, ignore=shutil.ignore_patterns("server.properties", "*.log.lock", "kafka.log"))
    broker.start()


def theirs(_arguments):
    from broker import Broker
    checks, broker, protocol = Checks(), Broker(), messages.Protocol(kafka.clients_jar())
    with tempfile.TemporaryDirectory(prefix="moldau-compat-") as folder, checks.step("a directory of Kafka's", broker.output):
        try:
            path, wanted = kafka_directory(folder, protocol)
            logs = sorted(glob.glob(os.path.join(path, "*.log")))
            on_disk = b"".join(open(f, "rb").read() for f in logs)
            checks.check("Kafka wrote 7,003 records in more than one segment", len(wanted) == 7003 and len(logs) > 1, [f"{len(wanted)} records in {len(logs)} files"])
            adopt(broker, folder)
            compare_bytes(broker, protocol, on_disk, checks)
            checks.check("kcat reads the same offsets, keys and values from both", read_back(broker.address, "theirs", 0) == wanted)
            kcat(broker.address, "-P", "-t", "theirs", stdin=b"one more\n")
            checks.check("the next record gets the next offset", read_back(broker.address, "theirs", 0)[len(wanted):] == [(7003, None, "one more")])
            checks.check("clean stop", broker.stop() == 0)
            _, complaints = kafka.dump(*log_files(broker.data, ".log"))
            checks.check("Kafka's tool reads the directory that both have written to", not complaints, complaints)
        finally:
            broker.remove()
    return checks.result()


def compare_bytes(broker, protocol, on_disk, checks):
    with rawclient.Connection(broker.address, protocol) as connection:
        for version in (4, 12):
            for limit in (1 << 20, 5000):
                served = rawclient.fetch_all(connection, "theirs", 0, version=version, max_bytes=limit)
                checks.check(f"Fetch v{version} in pieces of {limit:,} bytes serves the {len(on_disk):,} bytes on disk", served == on_disk,
                             [f"{len(served)} bytes, {'a prefix' if on_disk.startswith(served) else 'not even a prefix'}"])
        batches = records.whole_batches(on_disk)
        middle = batches[len(batches) // 2]
        served = rawclient.fetch_all(connection, "theirs", 0, start=middle.last_offset)
        checks.check("a fetch in the middle starts with the batch that holds its offset", served == on_disk[on_disk.index(middle.data):])
