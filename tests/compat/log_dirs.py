"""Whole log directories: the same stories on our log and on Kafka's, with Kafka's dump tool over every file of ours; then directories of
two Kafka releases through our broker and back to Kafka."""
import glob
import json
import os
import shutil
import tempfile

import disk
import kafka
import log_old_formats
import log_plays
import log_round_trip
import messages
import rawclient
from checks import Checks

DUMP = "org.apache.kafka.tools.DumpLogSegments"


def files_in(folder, *endings):
    """Of all partition directories in a data directory, those on their way out left alone: Kafka's tool does not know them."""
    found = [f for ending in endings for f in glob.glob(os.path.join(folder, "*-[0-9]*", f"*{ending}")) if "__cluster_metadata" not in f]
    return sorted(f for f in found if not os.path.dirname(f).endswith(("-delete", "-future", "-stray")))


def check_files(folder, checks, what, compacted=()):
    """Every kind of file that Kafka's dump tool reads, whoever wrote it."""
    def holes(line):
        # In a compacted log offsets are missing; the tool says so and means no harm.
        return " is followed by " in line and any(f"/{name}-" in line for name in compacted)
    logs = files_in(folder, ".log")
    files, complaints = kafka.dump(*logs)
    complaints = [line for line in complaints if not holes(line)]
    records = sum(len(f["records"]) for f in files.values())
    checks.check(f"{what}: --deep-iteration reads {len(logs)} segments with {records:,} records", logs and not complaints, complaints)
    indexes = files_in(folder, ".index", ".timeindex")
    status, out, err = kafka.tool(DUMP, "--index-sanity-check", "--files", ",".join(indexes))
    passed = out.count("passed sanity check") + out.count(".index is empty.")
    checks.check(f"{what}: {len(indexes)} index files pass the sanity check", status == 0 and passed == len(indexes), [f"{passed} passed", out[-800:], err[-800:]])
    _, complaints = kafka.dump(*indexes, deep=False)
    checks.check(f"{what}: every index entry agrees with its log", not complaints, complaints)
    others = files_in(folder, ".snapshot", ".txnindex")
    if others:
        _, complaints = kafka.dump(*others, deep=False)
        checks.check(f"{what}: {len(others)} producer snapshots and transaction indexes are read", not complaints, complaints)
    return files


def check_data_directory(folder, checks, what):
    """The files beside the partitions, by Kafka's own readers: it takes them over when it starts (there_and_back)."""
    names = set(os.listdir(folder))
    wanted = {"meta.properties", "recovery-point-offset-checkpoint", "log-start-offset-checkpoint", "replication-offset-checkpoint", ".kafka_cleanshutdown"}
    checks.check(f"{what}: the data directory has Kafka's files", wanted <= names, sorted(wanted - names))
    left = [n for n in names if n.endswith(".tmp")] + files_in(folder, ".tmp", ".swap", ".cleaned", ".deleted")
    checks.check(f"{what}: nothing half done is left", not left, left)


def plays(checks):
    """Stories on our log and on Kafka's: the same answers, and files of ours that Kafka's tool reads."""
    with tempfile.TemporaryDirectory(prefix="moldau-compat-") as folder:
        stage = log_plays.Stage(folder)
        log_plays.answers(stage, checks)
        compacted = [kind for kind in log_plays.STORIES if kind.startswith("compact")]
        files = check_files(stage.path("ours"), checks, "our logs", compacted)
        files |= kafka.dump(*files_in(stage.path("kafka"), ".log"))[0]
        log_plays.same_files(stage, checks, files)
        log_plays.same_values(stage, checks, files)
        log_plays.rebuilt(stage, checks)
        with checks.step("old message formats"):
            log_old_formats.check(stage, checks)
        for version in (kafka.VERSION, kafka.OLDER):
            with checks.step(f"a compacted partition of Kafka {version}"):
                log_round_trip.check(version, stage, checks)


def produce(address, topic, tag, count):
    """Every codec, keys, headers; the second half by an idempotent producer."""
    for turn in range(2):
        for codec in disk.CODECS:
            lines = "".join(f"key{i % 5}:{disk.value(tag + codec, i)}\n" for i in range(turn * count, (turn + 1) * count))
            disk.kcat(address, "-P", "-t", topic, "-p", "0", "-K:", "-z", codec, "-H", "h=v", "-X", "batch.num.messages=64",
                      "-X", f"enable.idempotence={'true' if turn else 'false'}", stdin=lines.encode())


def transactions(address, topic, tag):
    """A committed and an aborted transaction, where the client library is there."""
    try:
        import confluent_kafka
    except ImportError:
        return False
    producer = confluent_kafka.Producer({"bootstrap.servers": address, "transactional.id": f"t-{tag}"})
    producer.init_transactions(30)
    for commit in (True, False, True):
        producer.begin_transaction()
        for i in range(50):
            producer.produce(topic, partition=1, value=f"{tag} {commit} {i}".encode())
        producer.flush(30)  # what is to be aborted is in the log
        producer.commit_transaction(30) if commit else producer.abort_transaction(30)
    return True


def read_all(address, topic, partitions, isolation="read_uncommitted"):
    out = []
    for p in range(partitions):
        text = disk.kcat(address, "-C", "-q", "-e", "-t", topic, "-p", str(p), "-o", "beginning", "-J", "-X", f"isolation.level={isolation}")
        out.append([(r["offset"], r["key"], r["payload"]) for r in map(json.loads, text.splitlines())])
    return out


def there_and_back(version, checks):
    """Kafka writes, ours serves and appends, Kafka goes on."""
    from broker import Broker
    what, protocol, broker = f"Kafka {version}", messages.Protocol(kafka.clients_jar()), Broker()
    with tempfile.TemporaryDirectory(prefix="moldau-compat-") as folder, checks.step(what, broker.output):
        try:
            server = kafka.Server(folder, version).start()
            try:
                disk.create(server.address, protocol, "there", 2, 1 << 20)
                produce(server.address, "there", "", 400)
                if not transactions(server.address, "there", "kafka"):
                    checks.note("no transactions: python3-confluent-kafka is missing")
                wanted = read_all(server.address, "there", 2)
            finally:
                server.stop()
            checks.check(f"{what}: wrote {sum(map(len, wanted)):,} records", len(wanted[0]) == 4000)
            disk.adopt(broker, folder)
            checks.check(f"{what}: ours reads the same records from its directory", read_all(broker.address, "there", 2) == wanted)
            produce(broker.address, "there", "ours ", 100)
            both = read_all(broker.address, "there", 2)
            checks.check(f"{what}: ours appends behind them", both[0][:4000] == wanted[0] and len(both[0]) == 5000 and both[1] == wanted[1])
            checks.check(f"{what}: ours stops in order", broker.stop() == 0)
            check_files(broker.data, checks, f"{what}, then ours")
            check_data_directory(broker.data, checks, f"{what}, then ours")
            give_back(broker, folder)
            server.start()
            try:
                checks.check(f"{what}: reads all of it after the return", read_all(server.address, "there", 2) == both)
                produce(server.address, "there", "again ", 10)
                again = read_all(server.address, "there", 2)
                checks.check(f"{what}: and appends behind ours", again[0][:5000] == both[0] and len(again[0]) == 5100)
            finally:
                server.stop()
            said = [line for line in open(server.log, errors="replace") if "there-" in line and (" ERROR " in line or "orrupt" in line or "unclean" in line.lower())]
            checks.check(f"{what}: has no complaint about what ours left", not said, said)
        finally:
            broker.remove()


def give_back(broker, folder):
    """Everything of ours takes the place of Kafka's."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
    shutil.copytree(broker.data, folder, dirs_exist_ok=True)


def main(_arguments):
    checks = Checks()
    with checks.step("stories"):
        plays(checks)
    for version in (kafka.VERSION, kafka.OLDER):
        there_and_back(version, checks)
    return checks.result()
