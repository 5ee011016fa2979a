"""The requests of the comparison: Produce and Fetch."""
import struct
import time

import rawclient
import records
from records import batch
from wire_cases import UNKNOWN_ID
from wire_session import NOW, ZERO

HOUR = 3_600_000


def gzip_of(payload):
    import gzip
    return gzip.compress(payload, mtime=0)


def relative(answer, ends):
    """Base offsets relative to where the partition ended before, so that one wrong answer does not make all later ones differ."""
    if isinstance(answer, dict):
        for part in (p for topic in answer["Responses"] for p in topic["PartitionResponses"]):
            if part["BaseOffset"] >= 0 and ends.get(part["Index"]) is not None:
                part["BaseOffset"] = f"end{part['BaseOffset'] - ends[part['Index']]:+d}"


def produce(s, v):
    topic = s.make_topic(f"produce-v{v}", partitions=2)
    topic_id = s.id_of(topic)

    def entry(data, partition=0):
        return {"Index": partition, "Records": data}

    def send(label, *entries, name=None, id=None, acks=-1, transactional=None):
        ends = {e["Index"]: s.end_offset(topic, e["Index"]) for e in entries}
        part = {"Name": topic if name is None else name, "TopicId": topic_id if id is None else id, "PartitionData": list(entries)}
        s.ask(f"Produce: {label}", "Produce", v, Acks=acks, TimeoutMs=5000, TransactionalId=transactional, TopicData=[part])
        relative(s.answers[f"Produce: {label}", v], ends)

    def one(label, *values, acks=-1, partition=0, timestamp=NOW, timestamps=None, **fields):
        send(label, entry(batch(*values, timestamp=timestamp, timestamps=timestamps, **fields), partition), acks=acks)

    one("acks=all", b"one")
    one("acks=1", b"two", b"three", acks=1)
    one("acks=2", b"x", acks=2)
    one("acks=-2", b"x", acks=-2)
    no_answer(s, v, topic, topic_id)
    acks_zero_errors(s, v, topic, topic_id)
    one("unknown partition", b"x", partition=9)
    one("partition -1", b"x", partition=-1)
    if v >= 13:
        send("unknown topic id", entry(batch(b"x", timestamp=NOW)), id=UNKNOWN_ID)
        send("zero topic id", entry(batch(b"x", timestamp=NOW)), id=ZERO)
    else:
        send("unknown topic", entry(batch(b"x", timestamp=NOW)), name=s.topic_name("nobody"))
        send("bad topic name", entry(batch(b"x", timestamp=NOW)), name="bad name")
        send("empty topic name", entry(batch(b"x", timestamp=NOW)), name="")
    send("one good partition, one unknown", entry(batch(b"x", timestamp=NOW)), entry(batch(b"x", timestamp=NOW), 9))
    send("two partitions", entry(batch(b"x", timestamp=NOW)), entry(batch(b"y", timestamp=NOW), 1))
    send("one good partition, one with bad CRC", entry(batch(b"x", timestamp=NOW)), entry(batch(b"y", timestamp=NOW, crc=1), 1))
    s.ask("Produce: nothing", "Produce", v, Acks=-1, TimeoutMs=5000, TopicData=[])
    send("no partitions")
    send("empty records", entry(b""))
    broken_batches(one, send, entry)
    timestamps(one)
    one("too large", b"x" * 1_100_000)
    one("just under the limit", b"x" * (1_048_588 - 61 - 15))
    if v >= 7:
        idempotent(s, v, one)
    one("transactional batch without transactional id", b"x", attributes=0x10, producer_id=1000, producer_epoch=0, base_sequence=0)
    compacted(s, v)
    one("acks=all at the end", b"last")


def acks_zero_errors(s, v, topic, topic_id):
    """acks=0 and an error: the connection is closed, which the request behind it sees."""
    for label, partition, data in (("bad CRC", 0, batch(b"x", timestamp=NOW, crc=1)), ("unknown partition", 9, batch(b"x", timestamp=NOW))):
        connection = s.connect()
        connection.send("Produce", v, {"Acks": 0, "TimeoutMs": 5000, "TopicData": [
            {"Name": topic, "TopicId": topic_id, "PartitionData": [{"Index": partition, "Records": data}]}]})
        s.ask(f"Produce: acks=0, {label}, then ListOffsets", "ListOffsets", 5, key=v, ReplicaId=-1, Topics=[
            {"Name": topic, "Partitions": [{"PartitionIndex": 0, "Timestamp": -1}]}])


def no_answer(s, v, topic, topic_id):
    """acks=0: the next answer on the connection belongs to the next request, and the record is there."""
    connection = s.connect()
    connection.send("Produce", v, {"Acks": 0, "TimeoutMs": 5000, "TopicData": [
        {"Name": topic, "TopicId": topic_id, "PartitionData": [{"Index": 0, "Records": batch(b"zero", timestamp=NOW)}]}]})
    # Durable brokers move the end offset when the disk is done, which nobody waited for: the record may come a moment later.
    rawclient.wait_until(lambda: s.end_offset(topic, 0) == 4, 10, f"the record sent with acks=0 ({s.name})")


def broken_batches(one, send, entry):
    good = batch(b"x", timestamp=NOW)
    one("bad CRC", b"x", crc=12345)
    send("magic 0", entry(records.message_v1(b"x", magic=0)))
    send("magic 1", entry(records.message_v1(b"x", timestamp=NOW)))
    one("magic 3", b"x", magic=3)
    one("magic 127", b"x", magic=127)
    send("two batches for one partition", entry(good + good))
    send("truncated batch", entry(good[:-3]))
    send("truncated header", entry(good[:20]))
    send("a byte behind the batch", entry(good + b"\0"))
    send("ten bytes of nothing", entry(b"\0" * 10))
    one("base offset 7", b"x", base_offset=7)
    one("leader epoch 5", b"x", leader_epoch=5)
    one("length too small", b"x", length=10)
    one("length negative", b"x", length=-1)
    one("length 0", b"x", length=0)
    one("count larger than the records", b"x", count=2)
    one("count and last offset delta larger than the records", b"x", count=2, last_offset_delta=1)
    one("count smaller than the records", b"x", b"y", count=1)
    one("count and last offset delta smaller than the records", b"x", b"y", count=1, last_offset_delta=0)
    one("last offset delta too large", b"x", last_offset_delta=4)
    one("last offset delta negative", b"x", last_offset_delta=-1)
    one("count 0", count=0, last_offset_delta=0, timestamps=[NOW], payload=b"")
    one("count -1", b"x", count=-1)
    one("bytes behind the last record", b"x", payload=records.record(0, b"x") + b"\0\0")
    one("offset deltas 0 and 2", b"x", b"y", payload=records.record(0, b"x") + records.record(2, b"y"))
    one("offset deltas 0 and 0", b"x", b"y", payload=records.record(0, b"x") + records.record(0, b"y"))
    one("offset deltas 1 and 0", b"x", b"y", payload=records.record(1, b"x") + records.record(0, b"y"))
    one("record length too large", b"x", payload=b"\x7e" + records.record(0, b"x")[1:])
    one("record length negative", b"x", payload=b"\x01" + records.record(0, b"x")[1:])
    one("header count negative", b"x", payload=records.record(0, b"x")[:-1] + b"\x01")
    one("null header key", b"x", payload=b"\x10" + b"\0\0\0" + b"\x01" + b"\x02x" + b"\x02" + b"\x01\x01")
    one("max timestamp wrong", b"x", max_timestamp=NOW + 5)
    one("control batch", b"x", attributes=0x20)
    one("codec 5", b"x", attributes=5)
    one("codec 7", b"x", attributes=7)
    one("codec gzip, not gzip", b"x", attributes=1)
    one("codec snappy, not snappy", b"x", attributes=2)
    one("codec lz4, not lz4", b"x", attributes=3)
    one("codec zstd, not zstd", b"x", attributes=4)
    one("gzip", b"x", attributes=1, payload=gzip_of(records.record(0, b"x")))
    one("gzip, count larger than the records", b"x", attributes=1, count=2, last_offset_delta=1, payload=gzip_of(records.record(0, b"x")))
    one("gzip, bytes behind the last record", b"x", attributes=1, payload=gzip_of(records.record(0, b"x") + b"\0"))
    one("gzip, offset deltas 0 and 2", b"x", b"y", attributes=1, payload=gzip_of(records.record(0, b"x") + records.record(2, b"y")))
    one("gzip, max timestamp wrong", b"x", attributes=1, max_timestamp=NOW + 5, payload=gzip_of(records.record(0, b"x")))
    one("log append time attribute", b"x", attributes=8)
    one("delete horizon attribute", b"x", attributes=0x40)
    one("unused attribute 0x80", b"x", attributes=0x80)
    one("attributes 0x4000", b"x", attributes=0x4000)


def timestamps(one):
    one("timestamp -1", b"x", timestamp=-1)
    one("timestamp -2", b"x", timestamp=-2)
    one("timestamp 0", b"x", timestamp=0)
    one("timestamp a day ago", b"x", timestamp=NOW - 24 * HOUR)
    one("second record two hours ahead", b"x", b"y", timestamps=[NOW, NOW + 2 * HOUR])


def idempotent(s, v, one):
    """Sequence checks, with a producer id of each broker's own."""
    producer = s.call("InitProducerId", 4, TransactionalId=None, TransactionTimeoutMs=60_000)["ProducerId"]

    def send(label, *values, sequence, epoch=0, id=producer, **more):
        one(f"idempotent, {label}", *values, producer_id=id, producer_epoch=epoch, base_sequence=sequence, partition=1, **more)

    send("first", b"a", sequence=0)
    send("second", b"b", b"c", sequence=1)
    send("second again", b"b", b"c", sequence=1)
    send("first again", b"a", sequence=0)
    send("gap", b"x", sequence=9)
    send("half of an old batch", b"b", sequence=1)
    send("third", b"d", sequence=3)
    for i in range(4, 9):
        send(f"batch {i}", b"e", sequence=i)
    send("a batch older than the last five", b"a", sequence=0)
    send("next epoch, sequence 5", b"x", sequence=5, epoch=1)
    send("next epoch, sequence 0", b"f", sequence=0, epoch=1)
    send("old epoch", b"x", sequence=4, epoch=0)
    send("sequence -1", b"x", sequence=-1)
    send("epoch -1", b"x", sequence=0, epoch=-1)
    send("unknown producer, sequence 0", b"g", sequence=0, id=producer + 500)
    send("unknown producer, sequence 7", b"h", sequence=7, id=producer + 501)
    send("producer id -2", b"x", sequence=0, id=-2)
    send("wrap-around, 2^31-1", b"i", sequence=2**31 - 1, id=producer + 502)
    send("wrap-around, then 0", b"j", sequence=0, id=producer + 502)
    send("wrap-around inside a batch", b"k", b"l", b"m", sequence=2**31 - 2, id=producer + 503)
    send("wrap-around inside a batch, again", b"k", b"l", b"m", sequence=2**31 - 2, id=producer + 503)
    send("wrap-around inside a batch, then a gap", b"n", sequence=2, id=producer + 503)
    send("wrap-around inside a batch, then 1", b"n", sequence=1, id=producer + 503)


def compacted(s, v):
    """Records without key on a compacted topic: the record errors of v8."""
    name = s.topic_name(f"compacted-v{v}")
    answer = s.call("CreateTopics", 7, Topics=[{"Name": name, "NumPartitions": 1, "ReplicationFactor": 1, "Configs": [
        {"Name": "cleanup.policy", "Value": "compact"}]}], timeoutMs=10_000)
    if answer["Topics"][0]["ErrorCode"]:
        return
    s.wait_topic(name, 1)
    for label, values in (("with keys", [(b"k", b"x"), (b"l", None)]), ("without keys", [(b"k", b"x"), (None, b"y"), (None, b"z")])):
        s.ask(f"Produce: compacted topic, {label}", "Produce", v, Acks=-1, TimeoutMs=5000, TopicData=[
            {"Name": name, "TopicId": s.id_of(name), "PartitionData": [{"Index": 0, "Records": batch(*values, timestamp=NOW)}]}])


def null_records(s, v):
    topic = s.topic_name("known")
    s.ask("Produce: null records", "Produce", v, wait=2, Acks=-1, TimeoutMs=500, TopicData=[
        {"Name": topic, "TopicId": s.id_of(topic), "PartitionData": [{"Index": 0, "Records": None}]}])


# --- Fetch

def fill_fetch(s):
    topic = s.make_topic("fetch", partitions=2)
    s.make_topic("fetch-empty")
    for partition, values in ((0, [b"a", b"b", b"c"]), (0, [b"d"]), (0, [b"e" * 3000]), (1, [b"f", b"g"])):
        answer = s.call("Produce", 8, Acks=-1, TimeoutMs=10_000, TopicData=[
            {"Name": topic, "PartitionData": [{"Index": partition, "Records": batch(*values, timestamp=NOW)}]}])
        if answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"]:
            raise RuntimeError(f"{s.name}: {answer}")


class Fetcher:
    def __init__(self, s, v):
        self.s, self.v, self.topic = s, v, s.topic_name("fetch")

    def part(self, offset, partition=0, limit=1 << 20, epoch=-1, last_epoch=-1):
        out = {"Partition": partition, "FetchOffset": offset, "PartitionMaxBytes": limit, "CurrentLeaderEpoch": epoch}
        if self.v >= 12:
            out["LastFetchedEpoch"] = last_epoch
        return out

    def of(self, *parts, name=None, id=None):
        return {"Topic": name or self.topic, "TopicId": self.s.id_of(name or self.topic) if id is None else id, "Partitions": list(parts)}

    def ask(self, label, *topics, wait_ms=0, min_bytes=1, max_bytes=1 << 20, isolation=0, session=0, epoch=-1, forgotten=(), replica=-1):
        return self.s.ask(f"Fetch: {label}", "Fetch", self.v, ReplicaId=replica, MaxWaitMs=wait_ms, MinBytes=min_bytes, MaxBytes=max_bytes,
                          IsolationLevel=isolation, SessionId=session, SessionEpoch=epoch, Topics=list(topics),
                          ForgottenTopicsData=list(forgotten))


def fetch(s, v):
    f = Fetcher(s, v)
    ask, of, part = f.ask, f.of, f.part
    ask("from the start", of(part(0)))
    ask("inside the first batch", of(part(1)))
    ask("second batch", of(part(3)))
    ask("at the end", of(part(5)))
    ask("past the end", of(part(6)))
    ask("far past the end", of(part(10**12)))
    ask("offset -1", of(part(-1)))
    ask("offset -2", of(part(-2)))
    ask("empty partition", of(part(0), name=s.topic_name("fetch-empty")))
    ask("empty partition, offset 1", of(part(1), name=s.topic_name("fetch-empty")))
    ask("read committed", of(part(0)), isolation=1)
    ask("isolation level 7", of(part(0)), isolation=7)
    ask("partition limit 1", of(part(0, limit=1)))
    ask("partition limit 0", of(part(0, limit=0)))
    ask("partition limit -1", of(part(0, limit=-1)))
    ask("partition limit 100", of(part(0, limit=100)))
    ask("partition limit 200", of(part(0, limit=200)))
    ask("request limit 1", of(part(0), part(0, 1)), max_bytes=1)
    ask("request limit 0", of(part(0)), max_bytes=0)
    ask("request limit -1", of(part(0)), max_bytes=-1)
    ask("request limit 200, two partitions", of(part(0), part(0, 1)), max_bytes=200)
    ask("first partition at its end, second larger than its limit", of(part(5), part(0, 1, limit=1)))
    ask("two partitions", of(part(0), part(0, 1)))
    ask("two partitions, second first", of(part(0, 1), part(0)))
    ask("same partition twice", of(part(0), part(3)))
    ask("unknown partition", of(part(0, 9)))
    ask("partition -1", of(part(0, -1)))
    ask("good and unknown partition", of(part(0), part(0, 9)))
    if v >= 13:
        ask("unknown topic id", of(part(0), id=UNKNOWN_ID))
        ask("zero topic id", of(part(0), id=ZERO))
        ask("good and unknown topic id", of(part(0), id=UNKNOWN_ID), of(part(0)))
    else:
        ask("unknown topic", of(part(0), name=s.topic_name("nobody")))
        ask("bad topic name", of(part(0), name="bad name"))
        ask("good and unknown topic", of(part(0), name=s.topic_name("nobody")), of(part(0)))
    ask("nothing")
    if v >= 9:
        ask("leader epoch 0", of(part(0, epoch=0)))
        ask("leader epoch 99", of(part(0, epoch=99)))
        ask("leader epoch -5", of(part(0, epoch=-5)))
    if v >= 12:
        ask("last fetched epoch 0", of(part(3, last_epoch=0)))
        ask("last fetched epoch 0, past the end", of(part(9, last_epoch=0)))
        ask("last fetched epoch 99", of(part(3, last_epoch=99)))
    waits(s, v, f)
    if v >= 7:
        sessions(s, v, f)


def waits(s, v, f):
    """How long an empty fetch waits: recorded as a yes or no with room for a slow machine."""
    for label, topics, wait_ms, min_bytes, waits_long in (
            ("at the end, wait 400", f.of(f.part(5)), 400, 1, True), ("min bytes not there, wait 400", f.of(f.part(0)), 400, 1 << 20, True),
            ("min bytes there, wait 5000", f.of(f.part(0)), 5000, 10, False), ("min bytes 0, wait 5000", f.of(f.part(5)), 5000, 0, False),
            ("past the end, wait 5000", f.of(f.part(6)), 5000, 1, False), ("unknown partition, wait 5000", f.of(f.part(0, 9)), 5000, 1, False),
            ("nothing, wait 5000", None, 5000, 1, False)):
        started = time.monotonic()
        f.ask(label, *([topics] if topics else []), wait_ms=wait_ms, min_bytes=min_bytes)
        took = time.monotonic() - started
        s.record(f"Fetch: {label}: waited", v, bool(took >= 0.35) if waits_long else bool(took >= 4))
        s.requests[f"Fetch: {label}: waited"] = "Fetch"


def sessions(s, v, f):
    ask, of, part = f.ask, f.of, f.part
    full = ask("session, new", of(part(0), part(0, 1)), epoch=0)
    session = full["SessionId"] if full else 0
    if session:
        ask("session, next with nothing new named: same offsets", session=session, epoch=1)
        ask("session, next at the ends", of(part(5), part(2, 1)), session=session, epoch=2)
        ask("session, nothing new", session=session, epoch=3)
        ask("session, forget one", session=session, epoch=4, forgotten=[{"Topic": f.topic, "TopicId": s.id_of(f.topic), "Partitions": [0]}])
        ask("session, one moved back", of(part(0, 1)), session=session, epoch=5)
        ask("session, error partition", of(part(0, 9)), session=session, epoch=6)
        ask("session, error partition again", session=session, epoch=7)
        ask("session, wrong epoch", session=session, epoch=99)
        ask("session, last epoch again", session=session, epoch=7)
        ask("session, epoch -5", session=session, epoch=-5)
        ask("session, replaced by a new one", of(part(5)), session=session, epoch=0)
        ask("session, the replaced one", session=session, epoch=8)
    ask("session, unknown id", session=123456789, epoch=1)
    ask("session, unknown id, epoch 0", of(part(5)), session=123456789, epoch=0)
    ask("session, unknown id, epoch -1", of(part(5)), session=123456789, epoch=-1)
    ask("session, id 0, epoch 1", of(part(5)), session=0, epoch=1)
    closing = ask("session, to be closed", of(part(5)), epoch=0)
    if closing and closing["SessionId"]:
        ask("session, closed by epoch -1", of(part(5)), session=closing["SessionId"], epoch=-1)
        ask("session, after it was closed", session=closing["SessionId"], epoch=1)
    session_members(s, v, f)
    session_news(s, v)


def session_members(s, v, f):
    """What is in a session: added, forgotten, twice, of another kind of names."""
    ask, of, part = f.ask, f.of, f.part

    def forget(*partitions):
        return [{"Topic": f.topic, "TopicId": s.id_of(f.topic), "Partitions": list(partitions)}]

    nothing = ask("session of nothing", epoch=0)["SessionId"]
    ask("session of nothing, one added", of(part(0)), session=nothing, epoch=1)
    ask("session of nothing, next", session=nothing, epoch=2)
    ask("session of nothing, all forgotten", session=nothing, epoch=3, forgotten=forget(0))
    ask("session of nothing, after that", of(part(0)), session=nothing, epoch=4)
    two = ask("session of two", of(part(0), part(0, 1)), epoch=0)["SessionId"]
    ask("session of two, one more is added and forgotten", of(part(0, 9)), session=two, epoch=1, forgotten=forget(9))
    ask("session of two, unknown ones are forgotten", session=two, epoch=2, forgotten=forget(7, 8))
    ask("session of two, one twice", of(part(1), part(3)), session=two, epoch=3)
    ask("session of two, limit 1", session=two, epoch=4, max_bytes=1)
    ask("session of two, limit 1 again", session=two, epoch=5, max_bytes=1)
    ask("session of two, both forgotten, one comes", of(part(0, 9)), session=two, epoch=6, forgotten=forget(0, 1))
    ask("session of two, next", session=two, epoch=7)
    odd = ask("session with unknown partitions", of(part(0, 9), part(0), part(0, 8), part(0, 1)), epoch=0)["SessionId"]
    ask("session with unknown partitions, next", session=odd, epoch=1)
    if v in (12, 13):
        other = {"ReplicaId": -1, "MaxWaitMs": 0, "MinBytes": 1, "MaxBytes": 1 << 20, "SessionId": odd, "SessionEpoch": 2, "Topics": [], "ForgottenTopicsData": []}
        s.ask("Fetch: session by names and by ids", "Fetch", 25 - v, key=v, **other)
        ask("session by names and by ids, as before", session=odd, epoch=2)


def session_news(s, v):
    """What happens to a session's partitions between its fetches."""
    topic = s.make_topic(f"session-v{v}", partitions=3)
    g = Fetcher(s, v)
    g.topic = topic
    ask, of, part = g.ask, g.of, g.part
    session = ask("session, empty partitions", of(part(0), part(0, 1), part(0, 2)), epoch=0)["SessionId"]

    def write(partition, *values):
        s.call("Produce", 9, Acks=-1, TimeoutMs=5000, TransactionalId=None, TopicData=[
            {"Name": topic, "PartitionData": [{"Index": partition, "Records": batch(*values, timestamp=NOW)}]}])

    write(1, b"one", b"two")
    ask("session, news in one", session=session, epoch=1)
    ask("session, no progress said", session=session, epoch=2)
    ask("session, progress", of(part(2, 1)), session=session, epoch=3)
    write(0, b"three")
    write(2, b"four")
    ask("session, news in two", session=session, epoch=4)
    write(1, b"five")
    ask("session, news in all: who had none comes first", session=session, epoch=5)
    ask("session, all are read", of(part(1), part(3, 1), part(1, 2)), session=session, epoch=6)
    s.call("DeleteRecords", 2, TimeoutMs=5000, Topics=[{"Name": topic, "Partitions": [{"PartitionIndex": 1, "Offset": 2}]}])
    ask("session, records were deleted", session=session, epoch=7)
    ask("session, and nothing since", session=session, epoch=8)
    started = time.monotonic()
    ask("session, waits", session=session, epoch=9, wait_ms=400)
    s.record("Fetch: session, waits: waited", v, bool(time.monotonic() - started >= 0.35))
    s.requests["Fetch: session, waits: waited"] = "Fetch"
    s.call("DeleteTopics", 6, Topics=[{"Name": topic, "TopicId": ZERO}], TimeoutMs=5000)
    s.wait_gone(topic)
    ask("session, the topic has gone", session=session, epoch=10)
    ask("session, it is still gone", session=session, epoch=11)


ALL = {"Produce": produce, "Fetch": fetch}
