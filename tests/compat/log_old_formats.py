"""A log directory with message formats 0 and 1, as brokers before Kafka 0.11 left them: opened, indexed, looked up, appended to by our log
and by Kafka's with the same answers and files; then read through our broker."""
import base64
import os
import shutil
import subprocess
import uuid

import disk
import kafka
import log_plays

NAME = "old-0"
TIME = 1_700_000_000_000        # of the first message that has a time
FIRST = "00000000000000000000.log"


def make(stage):
    """(the folder that holds NAME, its next offset, its records as Kafka 3.9 reads them)"""
    classes, folder = stage.path("classes-3.9"), stage.path("old")
    libs = kafka.jars(kafka.OLDER)
    subprocess.run(["javac", "-cp", f"{libs}/*", "-d", classes, os.path.join(log_plays.HERE, "log", "OldLog.java")], check=True)
    os.makedirs(os.path.join(folder, NAME))
    done = subprocess.run(["java", kafka.LOG, "-cp", f"{classes}:{libs}/*", "OldLog", os.path.join(folder, NAME, FIRST)], stdout=subprocess.PIPE, check=True)
    first, *rest = done.stdout.decode().splitlines()
    records = [line.split(" ", 4)[1:] for line in rest]
    return folder, int(first.split()[1]), [(int(offset), key, value) for offset, _, key, value in records]


def scripts(stage, times):
    """One that opens it, and one that looks up times, appends a story behind it, and looks up again."""
    with open(stage.tell("ended-lz4")) as f:
        appends = [line.rstrip("\n") for line in f if line.startswith("append ")]
    lookups = [f"time {t}" for t in times] + ["latest"]
    paths = []
    for name, lines in (("opened", []), ("appended", [*lookups, *appends, *lookups])):
        paths.append(stage.path(f"{name}.script"))
        with open(paths[-1], "w") as f:
            f.write("\n".join([f"log {NAME} 60000", *lines, "close"]) + "\n")
    return paths


def both(stage, script, folder):
    """What both sides answer, and the partition's folder of each."""
    out = []
    for name, play in (("ours", stage.play_ours), ("kafka", stage.play_kafka)):
        copy = stage.path(f"{os.path.basename(script)}-{name}")
        shutil.copytree(folder, copy)
        out += [play(script, copy), os.path.join(copy, NAME)]
    return out


def check(stage, checks):
    folder, end, records = make(stage)
    opened, appended = scripts(stage, range(TIME - 100, TIME + 120 * 20 + 60, 13))
    ours, our_folder, theirs, their_folder = both(stage, opened, folder)
    # Kafka writes a snapshot without producers, too.
    wrong = [line for line in log_plays.compare_files(our_folder, their_folder) if not line.endswith(".snapshot")]
    checks.check(f"old formats: {end} records open, and the indexes are those that Kafka's log makes", ours == theirs == [f"open 0 {end}"] and not wrong, wrong)
    ours, our_folder, theirs, their_folder = both(stage, appended, folder)
    checks.check(f"old formats: {len(ours):,} look-ups and appends are answered as by Kafka's log", ours == theirs, log_plays.first_differences(ours, theirs))
    mine, other = log_plays.files_of(our_folder, ".log"), log_plays.files_of(their_folder, ".log")
    same = mine.keys() == other.keys() and all(log_plays.read(mine[name]) == log_plays.read(other[name]) for name in mine)
    checks.check(f"old formats: and {len(mine)} segments are the same", same and len(mine) > 3)
    _, complaints = kafka.dump(*mine.values())
    checks.check("old formats: Kafka's tool reads them", not complaints, complaints)
    through_the_broker(folder, records, checks)


def through_the_broker(folder, records, checks):
    from broker import Broker
    broker = Broker()
    try:
        topic_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        path = os.path.join(folder, NAME)
        with open(os.path.join(path, "partition.metadata"), "w") as f:
            f.write(f"version: 0\ntopic_id: {topic_id}")
        disk.adopt(broker, path, topic_id)
        checks.check(f"old formats: our broker serves the {len(records)} records", disk.read_back(broker.address, "theirs", 0) == records)
        disk.kcat(broker.address, "-P", "-t", "theirs", "-p", "0", stdin=b"one more\n")
        checks.check("old formats: and appends behind them", disk.read_back(broker.address, "theirs", 0) == [*records, (len(records), None, "one more")])
        checks.check("old formats: and stops in order", broker.stop() == 0)
    finally:
        broker.remove()
