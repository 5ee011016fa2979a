"""A compacted partition there and back: written by a running Kafka, appended to and compacted by our log, served by that Kafka again."""
import json
import os
import random
import shutil
import tempfile

import disk
import kafka
import log_plays
import messages

TOPIC = "kept"
SEGMENT = 1 << 20       # the least that Kafka 4 takes for a topic
KEYS = 300


def write(address, protocol, version):
    """Each codec, an idempotent producer, tombstones: several segments."""
    disk.create(address, protocol, TOPIC, 1, SEGMENT, {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "1"})
    numbers = random.Random(version)
    for turn, codec in enumerate(disk.CODECS * 2):
        lines = []
        for i in range(1500):
            value = "" if numbers.random() < 0.1 else f"{turn}.{i}.{numbers.getrandbits(4000):x}"
            lines.append(f"key-{numbers.randrange(KEYS)}:{value}\n")
        disk.kcat(address, "-P", "-t", TOPIC, "-p", "0", "-K:", "-Z", "-z", codec, "-H", "h=v", "-X", "batch.num.messages=40",
                  "-X", f"enable.idempotence={'true' if turn % 2 else 'false'}", stdin="".join(lines).encode())


def newest(address):
    """What a consumer of committed records has in the end: (offset, value) of each key."""
    out = disk.kcat(address, "-C", "-q", "-e", "-t", TOPIC, "-p", "0", "-o", "beginning", "-Z", "-J", "-X", "isolation.level=read_committed")
    found = {record["key"]: (record["offset"], record["payload"]) for record in map(json.loads, out.splitlines())}
    return {key: record for key, record in found.items() if record[1] is not None}


def copy_partition(source, target):
    """With the checkpoints and the marker of its data directory."""
    shutil.rmtree(os.path.join(target, f"{TOPIC}-0"), ignore_errors=True)
    shutil.copytree(os.path.join(source, f"{TOPIC}-0"), os.path.join(target, f"{TOPIC}-0"))
    for name in os.listdir(source):
        if name.endswith("-checkpoint") or name in (".kafka_cleanshutdown", "meta.properties"):
            shutil.copy(os.path.join(source, name), os.path.join(target, name))


def scripts(stage):
    """Two scripts: a story with transactions behind what is there; the same and then compaction."""
    with open(stage.tell("ended-zstd")) as f:
        # Epoch 0: the running Kafka goes on from its own.
        appends = [" ".join([*line.split()[:2], "0", line.split()[3]]) for line in f if line.startswith("append ")]
    paths = []
    for name, rest in (("whole", ["close"]), ("compacted", ["clean", "close"])):
        paths.append(stage.path(f"{name}.script"))
        with open(paths[-1], "w") as f:
            f.write("\n".join([f"log {TOPIC}-0 {SEGMENT}", *appends, *rest]) + "\n")
    return paths


def records_in(files):
    return sum(len(file["records"]) for file in files.values())


def check(version, stage, checks):
    what = f"Kafka {version}, compacted"
    with tempfile.TemporaryDirectory(prefix="moldau-compat-") as folder:
        server = kafka.Server(folder, version).start()
        try:
            write(server.address, messages.Protocol(kafka.clients_jar()), version)
            before = newest(server.address)
        finally:
            server.stop()
        logs = {}
        for script in scripts(stage):
            name = os.path.basename(script).split(".")[0]
            copy = stage.path(f"{name}-{version}")
            os.makedirs(copy)
            copy_partition(folder, copy)
            said = stage.play_ours(script, copy)
            refused = [line for line in said if line.startswith("append") and not line.split()[1].isdigit()]
            logs[name], complaints = kafka.dump(*log_plays.files_of(os.path.join(copy, f"{TOPIC}-0"), ".log").values())
            # Holes are what compaction leaves, and the tool says so.
            complaints = [line for line in complaints if name == "whole" or " is followed by " not in line]
            checks.check(f"{what}: ours appends to it ({name}), and Kafka's tool reads the result", not refused and not complaints, refused + complaints)
        left, whole = records_in(logs["compacted"]), records_in(logs["whole"])
        checks.check(f"{what}: of {whole:,} records ours leaves {left:,}", left < whole // 2 and len(before) > KEYS // 2)
        copy_partition(stage.path(f"compacted-{version}"), folder)
        serve_again(server, log_plays.newest_values(logs["whole"]), what, checks)


def serve_again(server, wanted, what, checks):
    server.start()
    try:
        found = newest(server.address)
        checks.check(f"{what}: serves the newest value of each of {len(wanted)} keys after the return", found == wanted,
                     [f"{key}: {found.get(key)}, not {wanted.get(key)}" for key in found.keys() | wanted if found.get(key) != wanted.get(key)])
        disk.kcat(server.address, "-P", "-t", TOPIC, "-p", "0", "-K:", stdin=b"key-0:the newest\n")
        checks.check(f"{what}: and appends", newest(server.address)["key-0"][1] == "the newest")
    finally:
        server.stop()
    with open(server.log, errors="replace") as f:
        said = [line for line in f if f"{TOPIC}-0" in line and (" ERROR " in line or " WARN " in line or "orrupt" in line or "unclean" in line.lower())]
    checks.check(f"{what}: has no complaint about what ours left", not said, said)
