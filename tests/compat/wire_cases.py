"""The requests of the comparison: ApiVersions, Metadata, CreateTopics, DeleteTopics, DeleteRecords, ListOffsets, InitProducerId.

Each case is a function of (session, version) for one API; the differ runs every one in every version that both brokers serve, on both.
"""
import uuid

import records
from wire_session import NOW, ZERO

UNKNOWN_ID = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
BAD_NAMES = {"empty": "", "dot": ".", "dots": "..", "space": "bad name", "slash": "a/b", "umlaut": "käse", "250 characters": "x" * 250}


BAD_CONFIGS = {
    "policy": ("cleanup.policy", "burn"), "policy in capitals": ("cleanup.policy", "DELETE"), "boolean": ("preallocate", "maybe"),
    "ratio above 1": ("min.cleanable.dirty.ratio", "2"), "no ratio": ("min.cleanable.dirty.ratio", "x"), "level": ("compression.gzip.level", "12"),
    "level 0": ("compression.gzip.level", "0"), "lz4 level": ("compression.lz4.level", "18"), "zstd level": ("compression.zstd.level", "-131073"),
    "replicas": ("follower.replication.throttled.replicas", "x"), "replicas, one of two": ("leader.replication.throttled.replicas", "0:1,x"),
    "codec": ("compression.type", "zip"), "tiered": ("remote.storage.enable", "true"), "no name": ("", "1"), "in-sync 0": ("min.insync.replicas", "0"),
    "timestamp type": ("message.timestamp.type", "x"), "too large for an int": ("segment.bytes", "99999999999"), "negative": ("segment.jitter.ms", "-1"),
    "below -1": ("retention.ms", "-2"), "empty number": ("retention.ms", ""), "fraction": ("retention.ms", "1.5")}
GOOD_CONFIGS = {
    "space around it": ("retention.ms", " 60000 "), "no policy": ("cleanup.policy", ""), "policy twice": ("cleanup.policy", "delete,delete"),
    "both policies": ("cleanup.policy", "compact, delete"), "negative size": ("retention.bytes", "-5"), "all replicas": ("leader.replication.throttled.replicas", "*"),
    "replicas of two": ("leader.replication.throttled.replicas", "0:1,1:1"), "internal": ("internal.segment.bytes", "1024"), "plus": ("retention.ms", "+5"),
    "boolean in capitals": ("preallocate", "TRUE"), "ratio 1": ("min.cleanable.dirty.ratio", "1"), "no effect without tiers": ("local.retention.ms", "5")}


def client(version, name="moldau-compat", software_version="1.0"):
    return {"ClientSoftwareName": name, "ClientSoftwareVersion": software_version} if version >= 3 else {}


# --- ApiVersions

def api_versions(s, v):
    s.ask("ApiVersions", "ApiVersions", v, **client(v))
    if v >= 3:
        s.ask("ApiVersions: empty software name", "ApiVersions", v, **client(v, name=""))
        s.ask("ApiVersions: software name '-x'", "ApiVersions", v, **client(v, name="-x"))
        s.ask("ApiVersions: software version 'a b'", "ApiVersions", v, **client(v, software_version="a b"))


def refused_versions(s):
    for v in (5, 99):
        s.ask("ApiVersions: unsupported version", "ApiVersions", v, decode=0, **client(v))
    for api in ("Metadata", "Fetch", "Produce", "ListOffsets", "CreateTopics", "DeleteTopics", "InitProducerId"):
        s.ask(f"{api}: unsupported version", api, 99, wait=5)


# --- what is recorded for the notes but not compared: it needs parts that come later, or Kafka's answer is nothing to imitate

def notes_only(s):
    from wire_data_cases import null_records
    for v in (3, 8, 12):
        null_records(s, v)
    for v in (0, 2, 5):
        for i in range(3):
            s.ask(f"InitProducerId: transactional id, attempt {i + 1}", "InitProducerId", v, TransactionalId=f"{s.run}-tx{v}", TransactionTimeoutMs=60_000)
        s.ask("InitProducerId: transactional id, timeout 0", "InitProducerId", v, TransactionalId=f"{s.run}-tx{v}", TransactionTimeoutMs=0)
        s.ask("InitProducerId: transactional id, timeout of an hour", "InitProducerId", v, TransactionalId=f"{s.run}-tx{v}", TransactionTimeoutMs=3_600_000)
    s.ask("Metadata: auto-create of __consumer_offsets", "Metadata", 12, Topics=[{"Name": "__consumer_offsets", "TopicId": ZERO}])
    answer = s.ask("CreateTopics: the configs", "CreateTopics", 7, timeoutMs=10_000, Topics=[
        {"Name": s.topic_name("configs"), "NumPartitions": 1, "ReplicationFactor": 1}])
    return answer["Topics"][0]["Configs"]


# --- Metadata

def metadata(s, v):
    def ask(label, topics, **more):
        answer = s.ask(f"Metadata: {label}", "Metadata", v, Topics=topics, **more)
        return answer

    def named(*names):
        return [{"Name": n, "TopicId": ZERO} for n in names]

    known, no_create = s.topic_name("known"), ({"AllowAutoTopicCreation": False} if v >= 4 else {})
    ask("a topic", named(known), **no_create)
    ask("a topic twice", named(known, known), **no_create)
    if v >= 4:
        ask("unknown topic, no auto-create", named(s.topic_name("nobody")), **no_create)
        ask("known and unknown topic, no auto-create", named(s.topic_name("nobody"), known), **no_create)
    ask("unknown topic, auto-create", named(s.topic_name(f"auto-v{v}")))
    s.wait_topic(s.topic_name(f"auto-v{v}"), 1)
    ask("that topic once it is there", named(s.topic_name(f"auto-v{v}")))
    ask("no topics" if v else "empty list = all topics", [])
    if v:
        ask("all topics", None)
    for what, name in BAD_NAMES.items():
        ask(f"bad name ({what}), auto-create", named(name))
        if v >= 4:
            ask(f"bad name ({what}), no auto-create", named(name), **no_create)
    ask("auto-create of a name that collides in '.' and '_'", named(s.topic_name("col.lision")))
    if v >= 8:
        ask("authorized operations of a topic", named(known), IncludeTopicAuthorizedOperations=True, **no_create)
        ask("authorized operations of an unknown topic", named(s.topic_name("nobody")), IncludeTopicAuthorizedOperations=True, **no_create)
    if 8 <= v <= 10:
        ask("authorized operations of the cluster", [], IncludeClusterAuthorizedOperations=True)
    if v >= 10:
        ask("null name and zero id", [{"Name": None, "TopicId": ZERO}], **no_create)
        ask("null name and unknown id", [{"Name": None, "TopicId": UNKNOWN_ID}], **no_create)
        ask("null name and known id", [{"Name": None, "TopicId": s.id_of(known)}], **no_create)
        ask("name and id", [{"Name": known, "TopicId": s.id_of(known)}], **no_create)
        ask("known id and unknown id", [{"Name": None, "TopicId": UNKNOWN_ID}, {"Name": None, "TopicId": s.id_of(known)}], **no_create)
        ask("an id and another topic's name", [{"Name": None, "TopicId": s.id_of(known)}, {"Name": s.topic_name("col_lision"), "TopicId": ZERO}], **no_create)


# --- CreateTopics

def create_topics(s, v):
    number = [0]

    def topic(name=None, partitions=1, replication=1, **more):
        number[0] += 1
        return {"Name": s.topic_name(f"create-v{v}-{number[0]}") if name is None else name,
                "NumPartitions": partitions, "ReplicationFactor": replication, **more}

    def ask(label, *topics, **more):
        return s.ask(f"CreateTopics: {label}", "CreateTopics", v, Topics=list(topics), timeoutMs=more.pop("timeout", 10_000), **more)

    def config(**pairs):
        return [{"Name": k.replace("_", "."), "Value": value} for k, value in pairs.items()]

    def assigned(*lists):
        return [{"PartitionIndex": index, "BrokerIds": [s.node if b == 0 else b for b in brokers]} for index, brokers in lists]

    ask("new", topic())
    ask("three partitions", topic(partitions=3))
    ask("exists", topic(s.topic_name("known")))
    ask("exists, validate only", topic(s.topic_name("known")), validateOnly=True)
    for what, name in BAD_NAMES.items():
        ask(f"bad name ({what})", topic(name))
    ask("name collides in '.' and '_'", topic(s.topic_name("col.lision")))
    ask("0 partitions", topic(partitions=0))
    ask("-1 partitions (default)", topic(partitions=-1))
    ask("-2 partitions", topic(partitions=-2))
    ask("replication factor 0", topic(replication=0))
    ask("replication factor -1 (default)", topic(replication=-1))
    ask("replication factor -2", topic(replication=-2))
    ask("replication factor 2 on one broker", topic(replication=2))
    ask("both -1", topic(partitions=-1, replication=-1))
    ask("validate only", topic(), validateOnly=True)
    ask("validate only, replication factor 2", topic(replication=2), validateOnly=True)
    ask("assignments", topic(partitions=-1, replication=-1, Assignments=assigned((0, [0]), (1, [0]))))
    ask("assignments and counts", topic(partitions=1, replication=1, Assignments=assigned((0, [0]))))
    ask("assignments and partition count", topic(partitions=1, replication=-1, Assignments=assigned((0, [0]))))
    ask("assignment to an unknown broker", topic(partitions=-1, replication=-1, Assignments=assigned((0, [77]))))
    ask("assignment with a gap", topic(partitions=-1, replication=-1, Assignments=assigned((0, [0]), (2, [0]))))
    ask("assignment of nothing", topic(partitions=-1, replication=-1, Assignments=assigned((0, []))))
    ask("assignment with a duplicate broker", topic(partitions=-1, replication=-1, Assignments=assigned((0, [0, 0]))))
    ask("config", topic(Configs=config(retention_ms="60000")))
    ask("unknown config", topic(Configs=config(no_such_config="1")))
    ask("bad config value", topic(Configs=config(retention_ms="soon")))
    ask("config out of range", topic(Configs=config(segment_bytes="3")))
    ask("null config value", topic(Configs=config(retention_ms=None)))
    for what, (name, value) in BAD_CONFIGS.items():
        ask(f"config: {what}", topic(Configs=[{"Name": name, "Value": value}]))
    for what, (name, value) in GOOD_CONFIGS.items():
        ask(f"config: {what}", topic(Configs=[{"Name": name, "Value": value}]))
    ask("config: the same twice", topic(Configs=[{"Name": "retention.ms", "Value": value} for value in ("1", "2")]))
    ask("config: lags that contradict each other", topic(Configs=config(min_compaction_lag_ms="10", max_compaction_lag_ms="5")))
    ask("config: a bad one and replication factor 2", topic(replication=2, Configs=config(retention_ms="soon")))
    ask("config: a bad one and a name that exists", topic(s.topic_name("known"), Configs=config(retention_ms="soon")))
    ask("config: a bad one, validate only", topic(Configs=config(retention_ms="soon")), validateOnly=True)
    twice = topic()
    ask("same topic twice", twice, twice)
    ask("one good, one bad", topic(), topic(replication=2))
    ask("nothing")
    ask("timeout 0", topic(), timeout=0)


# --- DeleteTopics

def delete_topics(s, v):
    def ask(label, names=(), ids=(), both=()):
        topics = [{"Name": n, "TopicId": ZERO} for n in names] + [{"Name": None, "TopicId": i} for i in ids]
        topics += [{"Name": n, "TopicId": i} for n, i in both]
        body = {"Topics": topics} if v >= 6 else {"TopicNames": list(names)}
        return s.ask(f"DeleteTopics: {label}", "DeleteTopics", v, TimeoutMs=10_000, **body)

    one, two, three = (s.make_topic(f"delete-v{v}-{i}") for i in range(3))
    ask("a topic", [one])
    s.wait_gone(one)
    ask("that topic again", [one])
    ask("unknown", [s.topic_name("nobody")])
    ask("bad name", ["bad name"])
    ask("empty name", [""])
    ask("one known, one unknown", [two, s.topic_name("nobody")])
    ask("nothing")
    if v >= 6:
        ask("unknown id", ids=[UNKNOWN_ID])
        ask("null name and zero id", ids=[ZERO])
        ask("name and id", both=[(three, s.id_of(three))])
        ask("same topic twice", [three, three])
        ask("same id twice", ids=[s.id_of(three), s.id_of(three)])
        ask("by name and by id", [three], [s.id_of(three)])
        ask("by id", ids=[s.id_of(three)])
    else:
        ask("same topic twice", [three, three])


# --- DeleteRecords

def delete_records(s, v):
    topic = s.make_topic(f"records-v{v}", partitions=2)
    for partition in (0, 1):
        batches = b"".join(records.batch(bytes([97 + i]), bytes([98 + i]), timestamp=NOW) for i in range(0, 6, 2))
        for at in range(0, len(batches), len(batches) // 3):
            s.call("Produce", 8, Acks=-1, TimeoutMs=10_000, TopicData=[
                {"Name": topic, "PartitionData": [{"Index": partition, "Records": batches[at:at + len(batches) // 3]}]}])

    def ask(label, *topics, timeout=10_000):
        s.ask(f"DeleteRecords: {label}", "DeleteRecords", v, TimeoutMs=timeout, Topics=[
            {"Name": name, "Partitions": [{"PartitionIndex": p, "Offset": offset} for p, offset in partitions]} for name, partitions in topics])

    def after(label):
        for where, timestamp in (("start", -2), ("end", -1)):
            s.ask(f"DeleteRecords: {label}: the {where}", "ListOffsets", 5, ReplicaId=-1, key=v, Topics=[
                {"Name": topic, "Partitions": [{"PartitionIndex": p, "Timestamp": timestamp} for p in (0, 1)]}])

    ask("nothing")
    ask("no partitions", (topic, []))
    ask("below 0", (topic, [(0, 0)]))
    ask("inside a batch", (topic, [(0, 3)]))
    after("inside a batch")
    ask("back again", (topic, [(0, 1)]))
    ask("above the end", (topic, [(0, 7)]))
    ask("offset -2", (topic, [(0, -2)]))
    ask("unknown topic", (s.topic_name("nobody"), [(0, 1)]))
    ask("bad name", ("bad name", [(0, 1)]))
    ask("empty name", ("", [(0, 1)]))
    ask("unknown partition", (topic, [(5, 1)]))
    ask("partition -1", (topic, [(-1, 1)]))
    ask("one known, one unknown", (topic, [(1, 2)]), (s.topic_name("nobody"), [(0, 1)]))
    ask("partition twice", (topic, [(1, 3), (1, 4)]))
    ask("topic twice", (topic, [(1, 4)]), (topic, [(1, 5)]))
    ask("timeout 0", (topic, [(1, 5)]), timeout=0)
    ask("the high watermark", (topic, [(0, -1), (1, -1)]))
    after("the high watermark")


# --- ListOffsets

SPECIAL = {"latest": -1, "earliest": -2, "max timestamp": -3, "earliest local": -4, "latest tiered": -5, "earliest pending upload": -6, "-7": -7}


def list_offsets(s, v):
    def ask(label, topic, timestamp, partition=0, epoch=-1, isolation=0, replica=-1, repeat=1):
        part = {"PartitionIndex": partition, "Timestamp": timestamp, "CurrentLeaderEpoch": epoch}
        return s.ask(f"ListOffsets: {label}", "ListOffsets", v, ReplicaId=replica, IsolationLevel=isolation,
                     Topics=[{"Name": topic, "Partitions": [part] * repeat}], TimeoutMs=5000)

    full, empty = s.topic_name("offsets"), s.topic_name("known")
    for what, timestamp in SPECIAL.items():
        ask(what, full, timestamp)
        ask(f"{what} of an empty partition", empty, timestamp)
    ask("latest, read committed", full, -1, isolation=1)
    ask("isolation level 7", full, -1, isolation=7)
    for what, timestamp in {"0": 0, "first": NOW, "between": NOW + 5, "second batch": NOW + 100, "inside second batch": NOW + 105,
                            "third batch": NOW + 300, "compressed batch": NOW + 301, "inside the compressed batch": NOW + 401, "its last": NOW + 500,
                            "after the last": NOW + 501, "far future": 2**62}.items():
        ask(f"timestamp {what}", full, timestamp)
    ask("timestamp 0 of an empty partition", empty, 0)
    ask("unknown topic", s.topic_name("nobody"), -1)
    ask("bad topic name", "bad name", -1)
    ask("unknown partition", full, -1, partition=9)
    ask("partition -1", full, -1, partition=-1)
    ask("leader epoch 0", full, -1, epoch=0)
    ask("leader epoch 99", full, -1, epoch=99)
    ask("same partition twice", full, -1, repeat=2)
    ask("as replica -2", full, -1, replica=-2)
    s.ask("ListOffsets: nothing", "ListOffsets", v, ReplicaId=-1, Topics=[], TimeoutMs=5000)


def fill_offsets(s):
    """Batches with rising and falling timestamps, the last one compressed, the same bytes on both sides."""
    topic = s.make_topic("offsets")
    for batch in (records.batch(b"a", b"b", b"c", timestamps=[NOW, NOW + 10, NOW + 20]),
                  records.batch(b"d", b"e", b"f", timestamps=[NOW + 100, NOW + 110, NOW + 90]),
                  records.batch(b"g", b"h", timestamps=[NOW + 300, NOW + 50]),
                  records.gzip_batch(b"i", b"j", b"k", b"l", b"m", timestamps=[NOW + 400, NOW + 500, NOW + 350, NOW + 500, NOW + 450])):
        answer = s.call("Produce", 8, Acks=-1, TimeoutMs=10_000, TopicData=[{"Name": topic, "PartitionData": [{"Index": 0, "Records": batch}]}])
        if answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"]:
            raise RuntimeError(f"{s.name}: {answer}")


# --- InitProducerId

def init_producer_id(s, v):
    def ask(label, wait=15.0, **body):
        return s.ask(f"InitProducerId: {label}", "InitProducerId", v, wait=wait, **{"TransactionalId": None, "TransactionTimeoutMs": 60_000, **body})

    ask("no transactional id")
    ask("no transactional id, timeout 0", TransactionTimeoutMs=0)
    ask("no transactional id, timeout -1", TransactionTimeoutMs=-1)
    ask("empty transactional id", TransactionalId="")
    if v >= 3:
        ask("producer id without epoch", ProducerId=5)
        ask("epoch without producer id", ProducerEpoch=5)
        ask("negative producer id", ProducerId=-5)
        ask("producer id and epoch, no transactional id", ProducerId=123456, ProducerEpoch=3)


ALL = {"ApiVersions": api_versions, "Metadata": metadata, "CreateTopics": create_topics, "DeleteTopics": delete_topics,
       "DeleteRecords": delete_records, "ListOffsets": list_offsets, "InitProducerId": init_producer_id}
