"""The requests of the comparison about partitions and where they lie: DescribeLogDirs, DescribeProducers, DescribeTopicPartitions,
CreatePartitions; and about client metrics."""
import uuid

import rawclient
from records import batch
from wire_session import NOW, ZERO


def written(s, topic, partition, *values, **fields):
    """Batches of records with the same timestamps on both sides."""
    answer = s.call("Produce", 9, Acks=-1, TimeoutMs=5000, TransactionalId=None, TopicData=[
        {"Name": topic, "PartitionData": [{"Index": partition, "Records": batch(*values, **{"timestamp": NOW, **fields})}]}])
    part = answer["Responses"][0]["PartitionResponses"][0]
    if part["ErrorCode"]:
        raise RuntimeError(f"{s.name}: writing to {topic}-{partition}: {part}")


# --- DescribeLogDirs

def describe_log_dirs(s, v):
    topic, other = s.make_topic(f"dirs-v{v}", partitions=4), s.make_topic(f"dirs-other-v{v}")
    written(s, topic, 1, b"one", b"two")
    written(s, topic, 1, b"three")

    def ask(label, *topics):
        """The partitions of all directories together: each side may place them elsewhere; and what else is said of each directory."""
        named = None if label == "all" else [{"Topic": name, "Partitions": partitions} for name, partitions in topics]
        answer = s.ask(f"DescribeLogDirs: {label}", "DescribeLogDirs", v, Topics=named)
        shown = s.answers[f"DescribeLogDirs: {label}", v]
        ours = {topic, other}
        held = sorted((t["Name"], p["PartitionIndex"], p["PartitionSize"], p["OffsetLag"], p["IsFutureKey"])
                      for d in answer["Results"] for t in d["Topics"] for p in t["Partitions"] if t["Name"] in ours)
        shown["Results"] = [{**d, "Topics": "below"} for d in shown["Results"]]
        s.record(f"DescribeLogDirs: {label}: what lies there", v, s.hide([list(one) for one in held]))

    ask("all")
    ask("two partitions", (topic, [1, 2]))
    ask("two topics", (topic, [1]), (other, [0]))
    ask("a topic twice", (topic, [1]), (topic, [0, 1]))
    ask("a partition twice", (topic, [1, 1]))
    ask("unknown topic", (s.topic_name("nobody"), [0]))
    ask("unknown partition", (topic, [9, -1, 0]))
    ask("bad topic name", ("bad name", [0]))
    ask("no partitions", (topic, []))
    ask("no topics")


# --- DescribeProducers

def describe_producers(s, v):
    topic = s.make_topic(f"producers-v{v}", partitions=3)
    producer = s.call("InitProducerId", 4, TransactionalId=None, TransactionTimeoutMs=60_000)["ProducerId"]
    written(s, topic, 1, b"one", b"two", producer_id=producer, producer_epoch=0, base_sequence=0)
    written(s, topic, 1, b"three", producer_id=producer, producer_epoch=0, base_sequence=2, timestamp=NOW + 1)
    written(s, topic, 2, b"one", producer_id=producer, producer_epoch=3, base_sequence=0)

    def ask(label, *topics):
        answer = s.ask(f"DescribeProducers: {label}", "DescribeProducers", v, Topics=[
            {"Name": name, "PartitionIndexes": partitions} for name, partitions in topics])
        for shown in (p for t in s.answers[f"DescribeProducers: {label}", v]["Topics"] for p in t["Partitions"]):
            for one in shown["ActiveProducers"]:
                one["LastTimestamp"] -= NOW
        return answer

    ask("three partitions", (topic, [0, 1, 2]))
    ask("unknown topic", (s.topic_name("nobody"), [0]))
    ask("unknown partition", (topic, [9, -1, 1]))
    ask("bad topic name", ("bad name", [0, 1]))
    ask("no topic name", ("", [0]))
    ask("a partition twice", (topic, [1, 1]))
    ask("a topic twice", (topic, [1]), (topic, [1]))
    ask("good and bad topics", (s.topic_name("nobody"), [0]), (topic, [0]), ("bad name", [0]))
    ask("no partitions", (topic, []))
    ask("no topics")


# --- DescribeTopicPartitions

def describe_topic_partitions(s, v):
    one, two = s.make_topic(f"pages-one-v{v}", partitions=3), s.make_topic(f"pages-two-v{v}", partitions=2)
    between, behind = s.topic_name(f"pages-p-v{v}"), s.topic_name("zzz")

    def ask(label, *topics, limit=2000, cursor=None):
        s.ask(f"DescribeTopicPartitions: {label}", "DescribeTopicPartitions", v, Topics=[{"Name": name} for name in topics],
              ResponsePartitionLimit=limit, Cursor=cursor and {"TopicName": cursor[0], "PartitionIndex": cursor[1]})

    ask("a topic", one)
    ask("two, not in order", two, one)
    ask("a topic twice", one, one)
    ask("unknown topic", s.topic_name("nobody"))
    ask("good and unknown topics", two, between, one)
    ask("bad topic name", "bad name", one)
    ask("no topic name", "")
    for limit in (-1, 0, 1, 2, 3, 4, 5, 6, 5000):
        ask(f"limit {limit}", one, two, limit=limit)
    ask("limit 3, unknown topic behind", one, behind, limit=3)
    ask("limit 2, unknown topic between", one, between, two, limit=2)
    ask("limit 3, unknown topic between", one, between, two, limit=3)
    ask("limit 1, unknown topic first", s.topic_name("aaa"), one, limit=1)
    ask("cursor in the first", one, two, cursor=(one, 1))
    ask("cursor at the second", one, two, cursor=(two, 0))
    ask("cursor behind the partitions", one, two, cursor=(one, 3))
    ask("cursor far behind the partitions", one, two, limit=1, cursor=(one, 1_000_000))    # nearer to 2^31 Kafka adds beyond it
    ask("cursor at partition -1", one, two, cursor=(one, -1))
    ask("cursor at a topic that is not named", one, two, cursor=(between, 0))
    ask("cursor before all", one, two, cursor=("a", 0))
    ask("cursor behind all", one, two, cursor=(behind, 0))
    ask("cursor without a name", one, two, cursor=("", 0))
    ask("cursor at an unknown topic", one, between, two, cursor=(between, 4))
    ask("all from a cursor behind all", cursor=(behind, 0))
    ask("all from a cursor at partition -1", cursor=(behind, -1))


# --- CreatePartitions
# Not asked: two millions. Kafka makes the first ten thousand of them, answers UNKNOWN_SERVER_ERROR, and takes long to recover.

def create_partitions(s, v):
    topic, other = s.make_topic(f"grown-v{v}"), s.make_topic(f"grown-other-v{v}", partitions=2)
    me = s.node

    def ask(label, *topics, timeout=5000, validate=False):
        s.ask(f"CreatePartitions: {label}", "CreatePartitions", v, TimeoutMs=timeout, ValidateOnly=validate, Topics=[
            {"Name": name, "Count": count, "Assignments": None if lists is None else [{"BrokerIds": brokers} for brokers in lists]}
            for name, count, lists in ((*one, None)[:3] for one in topics)])

    ask("as many", (topic, 1))
    ask("fewer", (other, 1))
    ask("none", (topic, 0))
    ask("-1", (topic, -1))
    ask("unknown topic", (s.topic_name("nobody"), 3))
    ask("bad topic name", ("bad name", 3))
    ask("no topic name", ("", 3))
    ask("a topic twice", (topic, 2), (other, 3), (topic, 3), validate=True)
    ask("nothing")
    ask("timeout 0", (topic, 2), (s.topic_name("nobody"), 3), timeout=0)
    ask("timeout -1", (topic, 2), timeout=-1)
    ask("timeout 0, a topic twice", (topic, 2), (topic, 3), timeout=0)
    ask("validate only", (topic, 5), validate=True)
    ask("validate only, timeout 0", (topic, 5), validate=True, timeout=0)
    for label, count, lists in (
            ("another broker", 2, [[me + 76]]), ("too many lists", 2, [[me], [me]]), ("too few lists", 3, [[me]]), ("no lists", 2, []),
            ("empty list", 2, [[]]), ("a broker twice", 2, [[me, me]]), ("two brokers", 2, [[me, me + 76]]), ("second list wrong", 3, [[me], [me + 76]]),
            ("as many, and a list", 1, [[me]])):
        ask(f"assigned: {label}", (topic, count, lists))
    ask("assigned: good, validate only", (topic, 3, [[me], [me]]), validate=True)
    ask("two topics, one wrong", (topic, 3), (other, 2))
    s.wait_topic(topic, 3)
    ask("assigned", (topic, 4, [[me]]))
    s.wait_topic(topic, 4)
    written(s, topic, 3, b"to the new one")
    s.record("CreatePartitions: what the new one holds", v, s.end_offset(topic, 3))
    rawclient.wait_until(lambda: s.end_offset(topic, 4) is None, 5, f"no partition 4 ({s.name})")


# --- GetTelemetrySubscriptions, PushTelemetry: of a broker without a plugin that takes metrics. Neither is advertised.

def telemetry(s, v):
    def get(label, client):
        answer = s.ask(f"GetTelemetrySubscriptions: {label}", "GetTelemetrySubscriptions", v, ClientInstanceId=client)
        if client == ZERO:
            s.answers[f"GetTelemetrySubscriptions: {label}", v]["SubscriptionId"] = "goes with the id"
        return answer["ClientInstanceId"], answer["SubscriptionId"]

    def push(label, client, subscription, metrics=b"", codec=0, last=False):
        s.ask(f"PushTelemetry: {label}", "PushTelemetry", v, ClientInstanceId=client, SubscriptionId=subscription, Terminating=last,
              CompressionType=codec, Metrics=metrics)

    def client(n):
        """The same on both sides, another one for each run."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{s.run}-{n}")

    get("no id yet", ZERO)
    _, subscription = get("with an id", client(1))
    get("again at once", client(1))
    push("another subscription", client(1), subscription + 1)
    get("after another subscription", client(1))
    push("too early", client(1), subscription)
    get("after too early", client(1))
    push("the last", client(1), subscription, last=True)
    push("after the last", client(1), subscription, last=True)
    get("after the last", client(1))
    _, subscription = get("for a codec", client(2))
    push("codec 9", client(2), subscription, codec=9)
    get("after codec 9", client(2))
    for label, metrics, codec in (("nothing", b"", 0), ("a byte too many", b"x" * 1048577, 0), ("as much as may be", b"x" * 1048576, 0),
                                  ("no gzip", b"garbage", 1), ("no zstd", b"garbage", 4), ("no lz4", b"garbage", 3), ("no snappy", b"garbage", 2)):
        _, subscription = get(f"for {label}", client(label))
        push(label, client(label), subscription, metrics, codec)
    push("who never asked", client(3), 5)
    get("after that", client(3))
    push("no id", ZERO, 0)
    push("id 1", uuid.UUID(int=1), 0)


ALL = {"GetTelemetrySubscriptions": telemetry, "DescribeLogDirs": describe_log_dirs, "DescribeProducers": describe_producers, "DescribeTopicPartitions": describe_topic_partitions,
       "CreatePartitions": create_partitions}
