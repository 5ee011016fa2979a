"""Apache Kafka 4.3.1's own command-line programs, from its published jars, as they are typed: the client `kafka-tools` of the table."""
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat"))
import kafka  # noqa: E402

PROGRAMS = {
    "topics": "org.apache.kafka.tools.TopicCommand", "configs": "kafka.admin.ConfigCommand", "producer": "org.apache.kafka.tools.ConsoleProducer",
    "consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer", "groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "offsets": "org.apache.kafka.tools.GetOffsetShell", "delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand", "quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "log-dirs": "org.apache.kafka.tools.LogDirsCommand", "cluster": "org.apache.kafka.tools.ClusterTool",
    "perf": "org.apache.kafka.tools.ProducerPerformance", "verifiable": "org.apache.kafka.tools.VerifiableProducer",
    "consumer-perf": "org.apache.kafka.tools.ConsumerPerformance", "features": "org.apache.kafka.tools.FeatureCommand",
}


class Tools:
    def __init__(self, address):
        self.address = address
        self.base = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", kafka.LOG, "-cp", f"{kafka.jars()}/*"]
        self.folder = tempfile.TemporaryDirectory(prefix="moldau-tools-")

    def run(self, name, *arguments, stdin="", status=0, server="--bootstrap-server"):
        """stdout of a program that must end with this status."""
        command = [*self.base, PROGRAMS[name], server, self.address, *arguments]
        done = subprocess.run(command, input=stdin.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        out, error = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        if done.returncode != status:
            raise AssertionError(f"{PROGRAMS[name].rpartition('.')[2]} {' '.join(arguments)} ended with {done.returncode}: {(out + error)[-1500:]}")
        return out if status == 0 else out + error

    def topic(self, *arguments):
        name = f"tools-{uuid.uuid4().hex[:10]}"
        self.run("topics", "--create", "--topic", name, *arguments)
        return name

    def file(self, text):
        path = os.path.join(self.folder.name, uuid.uuid4().hex)
        with open(path, "w") as f:
            f.write(text)
        return path


def has(text, *patterns):
    for pattern in patterns:
        if not re.search(pattern, text, re.M):
            raise AssertionError(f"no '{pattern}' in: {text[-1200:]}")


def topics(t):
    name = t.topic("--partitions", "3", "--config", "retention.ms=777000")
    has(t.run("topics", "--list"), f"^{name}$")
    has(t.run("topics", "--describe", "--topic", name), rf"Topic: {name}\s+TopicId: \S+\s+PartitionCount: 3\s+ReplicationFactor: 1\s+Configs: .*retention.ms=777000",
        r"Partition: 2\s+Leader: \d+\s+Replicas: \d+\s+Isr: \d+")
    has(t.run("topics", "--create", "--topic", name, status=1), "already exists")
    has(t.run("topics", "--describe", "--topic", "tools-nowhere", status=1), "does not exist")
    t.run("topics", "--delete", "--topic", name)
    deadline = time.monotonic() + 30
    while name in t.run("topics", "--list").split():
        if time.monotonic() > deadline:
            raise AssertionError(f"{name} is still listed")


def topics_alter(t):
    name = t.topic("--partitions", "1")
    t.run("topics", "--alter", "--topic", name, "--partitions", "4")
    has(t.run("topics", "--describe", "--topic", name), "PartitionCount: 4")


def configs(t):
    name = t.topic()
    where = ("--entity-type", "topics", "--entity-name", name)
    t.run("configs", *where, "--alter", "--add-config", "retention.ms=12345,cleanup.policy=[compact,delete]")
    has(t.run("configs", *where, "--describe"), r"retention.ms=12345 .*DYNAMIC_TOPIC_CONFIG:retention.ms=12345", r"cleanup.policy=compact,delete")
    t.run("configs", *where, "--alter", "--delete-config", "retention.ms")
    if "retention.ms=12345" in t.run("configs", *where, "--describe"):
        raise AssertionError("retention.ms is still set")
    has(t.run("configs", *where, "--describe", "--all"), r"retention.ms=604800000")
    has(t.run("configs", *where, "--alter", "--add-config", "retention.ms=soon", status=1), "(?i)invalid|not a number")


def console(t):
    # As it is typed in lessons; --broker-list is gone from Kafka 4's own programs.
    name = t.topic()
    lines = "".join(f"{key}:{value}\n" for key, value in (("Alice", "Made a payment of $200 to Bob"), ("열쇠", "값 한국어"), ("", "empty key")))
    t.run("producer", "--topic", name, "--reader-property", "parse.key=true", "--reader-property", "key.separator=:", stdin=lines)
    out = t.run("consumer", "--topic", name, "--from-beginning", "--max-messages", "3", "--timeout-ms", "30000", "--formatter-property", "print.key=true",
                "--formatter-property", "key.separator=:", "--formatter-property", "print.offset=true")
    has(out, r"Offset:0:Alice:Made a payment of \$200 to Bob", r"Offset:1:열쇠:값 한국어", r"Offset:2::empty key")


def console_codecs(t):
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        name = t.topic()
        t.run("producer", "--topic", name, "--compression-codec", codec, stdin="".join(f"line {n}\n" for n in range(50)))
        out = t.run("consumer", "--topic", name, "--from-beginning", "--max-messages", "50", "--timeout-ms", "30000")
        if out.split("\n")[:50] != [f"line {n}" for n in range(50)]:
            raise AssertionError(f"{codec}: {out[:400]}")


def groups(t):
    name, group = t.topic(), f"tools-{uuid.uuid4().hex[:10]}"
    t.run("producer", "--topic", name, stdin="".join(f"line {n}\n" for n in range(10)))
    t.run("consumer", "--topic", name, "--from-beginning", "--max-messages", "10", "--timeout-ms", "30000", "--group", group)
    has(t.run("groups", "--list"), f"^{group}$")
    has(t.run("groups", "--describe", "--group", group), rf"{group}\s+{name}\s+0\s+10\s+10\s+0\s")
    has(t.run("groups", "--describe", "--group", group, "--state"), rf"{group}\s+.*Empty\s+0")
    has(t.run("groups", "--reset-offsets", "--group", group, "--topic", name, "--to-offset", "4", "--execute"), rf"{name}\s+0\s+4")
    has(t.run("consumer", "--topic", name, "--max-messages", "6", "--timeout-ms", "30000", "--group", group), "^line 4$", "^line 9$")
    has(t.run("groups", "--reset-offsets", "--group", group, "--all-topics", "--to-earliest", "--execute"), rf"{name}\s+0\s+0")
    has(t.run("groups", "--delete-offsets", "--group", group, "--topic", name), "Successful")
    t.run("groups", "--delete", "--group", group)
    if group in t.run("groups", "--list").split():
        raise AssertionError(f"{group} is still listed")


def offsets(t):
    name = t.topic("--partitions", "2")
    t.run("producer", "--topic", name, "--reader-property", "parse.key=true", "--reader-property", "key.separator=:", stdin="a:1\na:2\na:3\n")
    ends = {line for line in t.run("offsets", "--topic", name).split()}
    if ends not in ({f"{name}:0:3", f"{name}:1:0"}, {f"{name}:0:0", f"{name}:1:3"}):
        raise AssertionError(f"found {ends}")
    has(t.run("offsets", "--topic", name, "--time", "earliest"), f"{name}:0:0", f"{name}:1:0")
    has(t.run("offsets", "--topic", name, "--time", "max-timestamp"), rf"{name}:\d:[0-2]")


def delete_records(t):
    name = t.topic()
    t.run("producer", "--topic", name, stdin="".join(f"line {n}\n" for n in range(10)))
    wanted = t.file(json.dumps({"version": 1, "partitions": [{"topic": name, "partition": 0, "offset": 6}]}))
    has(t.run("delete-records", "--offset-json-file", wanted), r"low_watermark: 6")
    has(t.run("offsets", "--topic", name, "--time", "earliest"), f"{name}:0:6")


def api_versions(t):
    has(t.run("api-versions"), r"\(id: \d+ rack: null", r"Produce\(0\): .*usable", r"Fetch\(1\): ", r"JoinGroup\(11\): ")


def quorum(t):
    has(t.run("quorum", "describe", "--status"), r"ClusterId:\s+\S+", r"LeaderId:\s+\d+", r"HighWatermark:\s+\d+", r"CurrentVoters:\s+\S+")
    has(t.run("quorum", "describe", "--replication"), r"NodeId\s+DirectoryId\s+LogEndOffset", "Leader")


def log_dirs(t):
    name = t.topic()
    t.run("producer", "--topic", name, stdin="x\n")
    has(t.run("log-dirs", "--describe", "--topic-list", name), rf'"partition":"{name}-0","size":[1-9]')


def cluster(t):
    command = [*t.base, PROGRAMS["cluster"], "cluster-id", "--bootstrap-server", t.address]
    has(subprocess.run(command, stdout=subprocess.PIPE, timeout=60).stdout.decode(), r"Cluster ID: \S{22}")


def performance(t):
    name = t.topic("--partitions", "2")
    command = [*t.base, PROGRAMS["perf"], "--topic", name, "--num-records", "5000", "--record-size", "200", "--throughput", "-1",
               "--command-property", f"bootstrap.servers={t.address}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    has(done.stdout.decode(), r"^5000 records sent")
    has(t.run("consumer-perf", "--topic", name, "--num-records", "5000", "--timeout", "30000"), r", 5000, ")


def verifiable(t):
    name = t.topic()
    out = t.run("verifiable", "--topic", name, "--max-messages", "20", "--acks", "-1")
    if out.count('"producer_send_success"') != 20:
        raise AssertionError(out[-800:])


def features(t):
    has(t.run("features", "describe"), r"Feature: metadata.version\s+SupportedMinVersion: \S+\s+SupportedMaxVersion: \S+\s+FinalizedVersionLevel: 4")


FEATURES = {"kafka-topics": topics, "kafka-topics-alter": topics_alter, "kafka-configs": configs, "kafka-console": console,
            "kafka-console-codecs": console_codecs, "kafka-consumer-groups": groups, "kafka-get-offsets": offsets,
            "kafka-delete-records": delete_records, "kafka-broker-api-versions": api_versions, "kafka-metadata-quorum": quorum,
            "kafka-log-dirs": log_dirs, "kafka-cluster": cluster, "kafka-perf-test": performance, "kafka-verifiable-producer": verifiable,
            "kafka-features": features}
# The API without which a program cannot work.
NEEDS = {"kafka-topics-alter": (37, "CreatePartitions"), "kafka-metadata-quorum": (55, "DescribeQuorum"), "kafka-log-dirs": (35, "DescribeLogDirs"),
         "kafka-features": (57, "UpdateFeatures")}


def run(wanted, address, table, served):
    try:
        tools = Tools(address)
    except kafka.Missing as error:
        table.put("kafka-tools", "start", "FAIL", 0, str(error))
        return
    table.versions["kafka-tools"] = f"Apache Kafka {kafka.VERSION}"
    for feature in wanted:
        began = time.monotonic()
        try:
            FEATURES[feature](tools)
            verdict, why = "ok", ""
        except (AssertionError, subprocess.TimeoutExpired) as error:
            api, name = NEEDS.get(feature, (None, None))
            verdict, why = ("FAIL", str(error)) if api is None or api in served else ("later", f"{name} is not served yet")
        table.put("kafka-tools", feature, verdict, time.monotonic() - began, why)
    tools.folder.cleanup()
