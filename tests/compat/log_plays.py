"""The same stories played on our log and on Apache Kafka's own classes: the same answers, the same files.

A story (tests/compat/log/log_story.h) is what happens to one partition: idempotent and transactional producers, markers, batches sent
again, too late or out of order, compaction, look-ups by time. Kafka's side is tests/compat/log/PlayLog.java.
"""
import collections
import glob
import os
import re
import shutil
import struct
import subprocess

import disk
import kafka

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
STORIES = [f"{kind}-{codec}" for kind in ("transactions", "compact") for codec in disk.CODECS]
RULES = "rules-none"
RULE_SEEDS = 6
DERIVED = (".index", ".timeindex", ".txnindex", ".snapshot")


def program(name, folder="log"):
    """One of tests/compat/FOLDER, the build that is newest."""
    found = glob.glob(os.path.join(ROOT, "build", "*", "tests", "compat", folder, name))
    if not found:
        raise kafka.Missing(f"{name} is not built; run ./dev compat {folder}")
    return max(found, key=os.path.getmtime)


class Stage:
    """A folder with the scripts, and what both sides made of them: FOLDER/ours/NAME-0, FOLDER/kafka/NAME-0."""

    def __init__(self, folder):
        self.folder = folder
        self.classes = os.path.join(folder, "classes")
        kafka.need("javac", "default-jdk-headless")
        done = subprocess.run(["javac", "-cp", f"{kafka.jars()}/*", "-d", self.classes, os.path.join(HERE, "log", "PlayLog.java")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(done.stdout.decode())

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def tell(self, kind, seed=1):
        """The path of the script."""
        script = self.path(f"{kind}-{seed}.script")
        with open(script, "w") as f:
            subprocess.run([program("tell_log"), kind, str(seed)], stdout=f, check=True)
        return script

    def play_ours(self, script, folder):
        return self.play([program("play_log")], script, folder)

    def play_kafka(self, script, folder):
        return self.play(["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", kafka.LOG, "-cp", f"{self.classes}:{kafka.jars()}/*", "PlayLog"],
                         script, folder)

    def play(self, command, script, folder):
        """The lines it prints."""
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run([*command, script, folder], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} {script}: {done.stderr.decode(errors='replace')[-2000:]}")
        return done.stdout.decode().splitlines()


def files_of(folder, ending):
    return {os.path.basename(path): path for path in glob.glob(os.path.join(folder, f"*{ending}"))}


def read(path):
    with open(path, "rb") as f:
        return f.read()


def producers(path):
    """What a snapshot file says, without its checksum and in no order: Kafka's is that of a hash map."""
    data = read(path)
    version, _, count = struct.unpack_from(">hIi", data)
    return version, sorted(struct.iter_unpack(">qhiqiqiq", data[10:])), count


def epochs(folder):
    """The leader epochs; of a log that has none the file may be empty, or missing."""
    path = os.path.join(folder, "leader-epoch-checkpoint")
    return read(path) if os.path.exists(path) else b""


def compare_files(ours, theirs, same_log=True):
    """Differences between two partition directories. same_log: the batches are the same bytes, and so the indexes."""
    wrong = []
    for ending in (".log", *DERIVED):
        mine, other = files_of(ours, ending), files_of(theirs, ending)
        wrong += [f"only one has {os.path.basename(ours)}/{name}" for name in sorted(set(mine) ^ set(other))]
        for name in sorted(set(mine) & set(other)):
            if ending == ".snapshot":
                same = producers(mine[name]) == producers(other[name])
            else:
                same = (not same_log and ending != ".txnindex") or read(mine[name]) == read(other[name])
            if not same:
                wrong.append(f"other content: {os.path.basename(ours)}/{name}")
    if epochs(ours) != epochs(theirs):
        wrong.append(f"other epochs: {os.path.basename(ours)}")
    return wrong


def content(file):
    """What the dump tool says of a segment, but for what depends on how well the records were compressed."""
    return [re.sub(r"\b(position|size|crc): \d+ ", "", line) for line in file["lines"]]


def newest_values(files):
    """The newest value of each key as a reader of committed records sees it, from the dump of a partition's segments."""
    newest, open_transactions, batch = {}, collections.defaultdict(list), {}
    for line in [line for path in sorted(files) for line in files[path]["lines"]]:
        if line.startswith("baseOffset: "):
            batch = dict(re.findall(r"(\w+): (\S+)", line))
            continue
        producer = batch["producerId"] if batch["isTransactional"] == "true" else None
        marker = re.search(r"endTxnMarker: (\w+)", line)
        if not marker:
            key, _, value = line.partition(" key: ")[2].partition(" payload: ")
            open_transactions[producer].append((key, (int(line.split()[2]), value or None)))
        for key, record in open_transactions.pop(producer, []) if producer is None or (marker and marker[1] == "COMMIT") else []:
            newest[key] = max(newest.get(key, record), record, key=lambda one: one[0])
        if marker:
            open_transactions[producer] = []
    return {key: record for key, record in newest.items() if record[1] is not None}


def first_differences(ours, theirs):
    return [f"line {i + 1}: ours {a!r}, Kafka's {b!r}" for i, (a, b) in enumerate(zip(ours, theirs)) if a != b][:5] or [f"{len(ours)} and {len(theirs)} lines"]


def answers(stage, checks):
    """Plays every story on both sides; the answers of each."""
    counts = collections.Counter()
    for kind in STORIES:
        script = stage.tell(kind)
        ours, theirs = stage.play_ours(script, stage.path("ours")), stage.play_kafka(script, stage.path("kafka"))
        counts.update(line.split()[0] for line in ours)
        checks.check(f"{kind}: {len(ours):,} answers as Kafka's", ours == theirs, first_differences(ours, theirs))
    refused = again = total = 0
    for seed in range(1, RULE_SEEDS + 1):
        script = stage.tell(RULES, seed)
        folders = stage.path("rules", f"ours-{seed}"), stage.path("rules", f"kafka-{seed}")
        ours, theirs = stage.play_ours(script, folders[0]), stage.play_kafka(script, folders[1])
        total += len(ours)
        refused += sum(line.split()[1].isupper() for line in ours)
        again += sum(line.endswith(" again") for line in ours)
        good = checks.check(f"{RULES}, seed {seed}: {len(ours):,} answers as Kafka's", ours == theirs, first_differences(ours, theirs))
        if good:
            wrong = compare_files(*(os.path.join(folder, f"{RULES}-0") for folder in folders))
            checks.check(f"{RULES}, seed {seed}: and the same files", not wrong, wrong)
    checks.note(f"rules: {total:,} answers, of them {refused:,} refusals and {again:,} batches that were there already; "
                f"stories: {counts['append']:,} appends, {counts['clean']} cleanings, {counts['time']:,} look-ups by time")


def same_files(stage, checks, files):
    """Compacted batches that are compressed are other bytes with another zlib or zstd: then what the dump tool says of them is compared."""
    cases = 0
    for kind in STORIES:
        ours, theirs = stage.path("ours", f"{kind}-0"), stage.path("kafka", f"{kind}-0")
        bytes_too = kind.split("-")[0] != "compact" or kind.endswith("-none")
        wrong = compare_files(ours, theirs, bytes_too)
        for name, path in sorted(files_of(ours, ".log").items()):
            other = files_of(theirs, ".log").get(name)
            if other is None:
                continue
            mine, others = content(files[path]), content(files[other])
            cases += len(mine)
            if mine != others:
                wrong += [f"{kind}/{name}: {line}" for line in first_differences(mine, others)]
        checks.check(f"{kind}: the same segments, batches, records, snapshots and transaction indexes as Kafka's", not wrong, wrong)
    checks.note(f"{cases:,} batches and records compared")


def same_values(stage, checks, files):
    """Compaction has lost nothing: the same story without it has the same newest values."""
    for kind in (kind for kind in STORIES if kind.startswith("compact")):
        script = stage.path(f"{kind}-whole.script")
        with open(stage.path(f"{kind}-1.script")) as f, open(script, "w") as out:
            out.writelines(line for line in f if line.strip() != "clean")
        stage.play_ours(script, stage.path("whole"))
        whole, complaints = kafka.dump(*files_of(stage.path("whole", f"{kind}-0"), ".log").values())
        cleaned = {path: files[path] for path in files if path.startswith(stage.path("ours", f"{kind}-0"))}
        wanted, found = newest_values(whole), newest_values(cleaned)
        sizes = [sum(len(f["records"]) for f in some.values()) for some in (cleaned, whole)]
        checks.check(f"{kind}: of {sizes[1]:,} records {sizes[0]:,} are left, and the newest values of {len(wanted)} keys",
                     not complaints and wanted and wanted == found and sizes[0] < sizes[1] // 2, complaints)


def rebuilt(stage, checks):
    """Producers, aborted transactions and indexes made again from the batches alone, by either of both from what the other wrote."""
    sides = (("Kafka's", "kafka", stage.play_ours), ("ours", "ours", stage.play_kafka))
    for whose, folder, play in sides:
        names, wrong = [f"{kind}-0" for kind in STORIES if kind.startswith("transactions")], []
        for name in names:
            copy = stage.path(f"stripped-{folder}-{name}", name)
            shutil.copytree(stage.path(folder, name), copy)
            for path in (path for ending in DERIVED for path in files_of(copy, ending).values()):
                os.remove(path)
            script = stage.path(f"open-{name}.script")
            with open(script, "w") as f:
                f.write(f"log {name} 30000\nclose\n")
            play(script, os.path.dirname(copy))
            wrong += compare_files(copy, stage.path(folder, name))
        checks.check(f"{len(names)} logs, {whose}: indexes, snapshots and transaction indexes are the same when the other made them again", not wrong, wrong)
