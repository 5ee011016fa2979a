"""What the clients are asked to do, one function a column of the table. Each raises when something is not as it should be."""
import random
import time
import uuid

from cell import Broken, Failed, record, unpack
from stored_batch import first_batch

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


class Trial:
    """One client before one feature: it, a reference client that is another implementation, topics with names of their own."""

    def __init__(self, make, make_reference, address, served):
        self.make, self.make_reference, self.address, self.served = make, make_reference, address, served
        self.cells = {}
        self.extra = []
        self.blurs = False          # the client reads what is empty and what is not there as the same
        self.hides = []             # questions whose failure the client keeps to itself

    def _cell(self, role, make):
        if role not in self.cells or self.cells[role].process and self.cells[role].process.poll() is not None:
            self.cells[role] = make()
        return self.cells[role]

    @property
    def client(self):
        return self._cell("client", self.make)

    @property
    def reference(self):
        return self._cell("reference", self.make_reference)

    def another(self):
        """One more process of the client: a group's member."""
        cell = self.make()
        self.extra.append(cell)
        return cell

    def name(self, hint="t"):
        return f"{hint}-{uuid.uuid4().hex[:12]}"

    def topic(self, partitions=1, **configs):
        name = self.name()
        self.reference.ask("create_topic", topic=name, partitions=partitions, configs={k.replace("_", "."): v for k, v in configs.items()})
        until(lambda: self.reference.ask("describe_topic", topic=name)[0]["partitions"] == partitions, "the new topic", 20)
        return name

    def after(self):
        """Between two features: the members go; the first process stays, programs take long to start."""
        for cell in self.extra:
            cell.end()
        self.extra = []

    def drop(self):
        for cell in self.cells.values():
            cell.end()
        self.cells = {}


def until(condition, what, seconds=30):
    """Polls a condition; a Failed on the way counts as not yet."""
    deadline, last = time.monotonic() + seconds, None
    while True:
        try:
            if condition():
                return
        except Failed as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}" + (f"; last: {last}" if last else ""))
        time.sleep(0.05)


def same(expected, found, what):
    if expected != found:
        raise AssertionError(f"{what}: expected {short(expected)}, found {short(found)}")


def short(value):
    text = repr(value)
    return text if len(text) < 400 else f"{text[:400]}... ({len(text)} characters)"


def fails_with(codes, ask, *arguments, **fields):
    """The question must fail, and with one of these codes of Kafka's; None stands for an error of the client's own."""
    try:
        found = ask(*arguments, **fields)
    except Failed as error:
        if error.code not in codes and not (error.code is None and None in codes) and not (error.code is not None and error.code < -1 and None in codes):
            raise AssertionError(f"expected one of the error codes {codes}, found {error.code}: {error.text[:300]}") from None
        return
    raise AssertionError(f"expected one of the error codes {codes}, but it worked: {short(found)}")


def as_read(t, found):
    """What the client can tell apart of it."""
    if not t.blurs:
        return found
    return [tuple(v or None if isinstance(v, bytes) else v for v in one) for one in found]


def strip(records, *fields):
    return [tuple(unpack(r)[f] for f in fields) for r in records]


def there_and_back(t, records, expect, *fields, topic=None, back=None, **produce):
    """Records by the client read by the reference, then by the reference read by the client."""
    topic = topic or t.topic()
    sent = t.client.ask("produce", topic=topic, partition=0, records=records, **produce)
    found = t.reference.ask("consume", topic=topic, partition=0, offset=0, count=len(records))
    same(expect, strip(found, *fields), "what the reference client read")
    if sent and produce.get("acks") != "0":         # a client may keep them to itself
        same(list(range(len(records))), [s["offset"] for s in sent], "the offsets that the producer was told")
    produce.pop("acks", None)
    produce.pop("idempotent", None)
    t.reference.ask("produce", topic=topic, partition=0, records=back or records, **produce)
    found = t.client.ask("consume", topic=topic, partition=0, offset=len(records), count=len(records))
    same(as_read(t, expect), as_read(t, strip(found, *fields)), "what the client read")
    same(list(range(len(records), 2 * len(records))), [r["offset"] for r in found], "the offsets that the client read")
    return topic


def values(count, hint="value"):
    return [f"{hint} {n} {'again and ' * 20}".encode() for n in range(count)]


def plain(t):
    for acks in ("all", "1", "0"):
        there_and_back(t, [record(v) for v in values(30)], [(v,) for v in values(30)], "value", acks=acks)


def codec(name):
    def run(t):
        topic = there_and_back(t, [record(v) for v in values(30)], [(v,) for v in values(30)], "value", codec=name)
        same(CODECS[name], first_batch(t.address, topic)["codec"], "the codec of the first batch")
    return run


def keys(t):
    pairs = [(b"Alice", b"Made a payment of $200 to Bob"), (None, b"no key"), (b"", b"empty key"), (b"\x00\xff\x80", b"bytes"),
             ("열쇠".encode(), "값".encode()), (b"gone", None), (b"hollow", b"")]
    there_and_back(t, [record(v, key=k) for k, v in pairs], pairs, "key", "value")
    # Records without a partition: those of a key stay together and in order.
    topic = t.topic(partitions=3)
    sent = t.client.ask("produce", topic=topic, records=[record(b"%d" % n, key=b"key %d" % (n % 7)) for n in range(70)])
    of_key = {}
    for n, where in enumerate(sent):
        of_key.setdefault(n % 7, []).append((where["partition"], where["offset"]))
    for where in of_key.values():
        same(1, len({p for p, _ in where}), "partitions of one key")
        same(sorted(where), where, "offsets of one key")


def headers(t):
    wanted = [("source", b"bank"), ("empty", b""), ("bytes", b"\x00\xff\x80"), ("이름", "값".encode())]
    topic = t.topic()
    t.client.ask("produce", topic=topic, partition=0, records=[record(b"a", headers=wanted), record(b"b")])
    found = [unpack(r) for r in t.reference.ask("consume", topic=topic, partition=0, offset=0, count=2)]
    same(sorted(wanted), sorted(found[0]["headers"]), "headers that the reference client read")
    same([], found[1]["headers"], "headers of a record without any")
    t.reference.ask("produce", topic=topic, partition=0, records=[record(b"c", headers=wanted), record(b"d")])
    found = [unpack(r) for r in t.client.ask("consume", topic=topic, partition=0, offset=2, count=2)]
    same(as_read(t, sorted(wanted)), as_read(t, sorted(found[0]["headers"])), "headers that the client read")
    same([], found[1]["headers"], "headers of a record without any")


def timestamps(t):
    times = [1_600_000_000_000, 1_600_000_000_123, 1_600_000_100_000]
    topic = there_and_back(t, [record(b"%d" % n, timestamp=at) for n, at in enumerate(times)], [(at,) for at in times], "timestamp")
    for at, expected in ((times[0], 0), (times[0] + 1, 1), (times[1] + 1, 2), (times[2] + 1, -1)):
        # The reference has written the same times once more behind them.
        found = t.client.ask("list_offsets", topic=topic, partition=0, at=at)[0]["offset"]
        same(True, found == expected or expected == -1 and found in (-1, None, 6), f"the offset at {at}, which was {found}")
    topic = t.topic(message_timestamp_type="LogAppendTime")
    before = int(time.time() * 1000)
    t.client.ask("produce", topic=topic, partition=0, records=[record(b"a")])
    found = t.client.ask("consume", topic=topic, partition=0, offset=0, count=1)[0]["timestamp"]
    same(True, before - 1000 <= found <= int(time.time() * 1000) + 1000, f"append time {found} about {before}")


def ends(t):
    topic = t.topic()
    for count in (0, 30):
        if count:
            t.reference.ask("produce", topic=topic, partition=0, records=[record(v) for v in values(count)])
        same([0, count], [t.client.ask("list_offsets", topic=topic, partition=0, at=at)[0]["offset"] for at in ("earliest", "latest")],
             "earliest and latest offset")


def large(t):
    value = random.Random(7).randbytes(1 << 20)
    there_and_back(t, [record(value), record(value)], [(value,), (value,)], "value", topic=t.topic(max_message_bytes=str(4 << 20)), limit=4 << 20)


def idempotent(t):
    topic = there_and_back(t, [record(v) for v in values(200)], [(v,) for v in values(200)], "value", idempotent=True)
    same(True, first_batch(t.address, topic)["producer_id"] >= 0, "a producer id in the first batch")


def _values_of(members):
    return {r["value"] for m in members for r in m.records()}


def group(t, **how):
    topic, name = t.topic(partitions=4), t.name("g")
    first = [b"first %d" % n for n in range(40)]
    for p in range(4):
        t.reference.ask("produce", topic=topic, partition=p, records=[record(v) for v in first[p::4]])
    member = t.another()
    member.ask("member", topic=topic, group=name, reset="earliest", **how)
    member.wait(lambda _: set(first) <= _values_of([member]), "all records")
    same({0, 1, 2, 3}, member.assigned(), "partitions of the only member")
    member.ask("commit")
    member.ask("leave")
    same({0: 10, 1: 10, 2: 10, 3: 10}, {r["partition"]: r["offset"] for r in t.reference.ask("committed", topic=topic, group=name, partitions=[0, 1, 2, 3])},
         "the offsets that the reference client sees committed")
    second = [b"second %d" % n for n in range(8)]
    for p in range(4):
        t.reference.ask("produce", topic=topic, partition=p, records=[record(v) for v in second[p::4]])
    again = t.another()
    again.ask("member", topic=topic, group=name, reset="earliest", **how)
    again.wait(lambda _: set(second) <= _values_of([again]), "the later records")
    same(set(second), _values_of([again]), "what the next member read")
    again.ask("leave")


def _shared(members, partitions):
    """Every partition has one owner, everybody has a fair share."""
    owned = [m.assigned() for m in members]
    if any(o is None for o in owned):
        return False
    sizes = [len(o) for o in owned]
    return sorted(p for o in owned for p in o) == list(range(partitions)) and max(sizes) - min(sizes) <= 1


def _settle(t, topic, members, sent):
    """Records go in while the group comes to rest."""
    def settled():
        value = b"while %d" % len(sent)
        t.reference.ask("produce", topic=topic, partition=len(sent) % 6, records=[record(value)])
        sent.append(value)
        return _shared(members, 6)
    try:
        until(settled, f"6 partitions shared by {len(members)}", 45)
    except AssertionError as error:
        said = "; ".join(f"{m.assigned()} {[e for e in m.events if e['event'] == 'error'][-1:]}" for m in members)
        raise AssertionError(f"{error}: {said}") from None


def rebalance(t, **how):
    topic, name = t.topic(partitions=6), t.name("g")
    sent, everybody = [], [t.another() for _ in range(3)]
    a, b, c = everybody
    for present in ([a], [a, b], [a, b, c]):
        present[-1].ask("member", topic=topic, group=name, reset="earliest", **how)
        _settle(t, topic, present, sent)
    b.ask("leave")
    _settle(t, topic, [a, c], sent)
    a.ask("leave")
    _settle(t, topic, [c], sent)
    c.wait(lambda _: set(sent) <= _values_of(everybody), "every record to be read by somebody")
    c.ask("leave")
    stray = _values_of(everybody) - set(sent)
    same(set(), stray, "records that nobody sent")


def static(t):
    topic, name = t.topic(partitions=2), t.name("g")
    a, b = t.another(), t.another()
    a.ask("member", topic=topic, group=name, reset="earliest", instance="one")
    until(lambda: _shared([a], 2), "the first static member")
    b.ask("member", topic=topic, group=name, reset="earliest", instance="two")
    until(lambda: _shared([a, b], 2), "two static members")
    t.reference.ask("produce", topic=topic, partition=0, records=[record(b"x")])
    a.wait(lambda _: _values_of([a, b]) == {b"x"}, "the record")
    a.ask("leave")
    b.ask("leave")


def consumer_protocol(t):
    if NEEDS["consumer-protocol"][0] not in t.served:
        # Whether the client would have it at all is quick to ask; what it does without it is to try for a long time.
        t.another().ask("member", topic=t.topic(), group=t.name("g"), protocol="consumer")
        raise AssertionError("not served")
    group(t, protocol="consumer")
    rebalance(t, protocol="consumer")


def commits(t):
    topic, name = t.topic(partitions=2), t.name("g")
    t.reference.ask("produce", topic=topic, partition=0, records=[record(v) for v in values(10)])

    def seen(by, group_name):
        return {r["partition"]: r["offset"] for r in by.ask("committed", topic=topic, group=group_name, partitions=[0, 1])}
    t.client.ask("commit_offsets", topic=topic, group=name, offsets={"0": 7})
    same({0: 7, 1: None}, seen(t.client, name), "committed offsets by the client")
    same({0: 7, 1: None}, seen(t.reference, name), "committed offsets by the reference")
    other = t.name("g")
    t.reference.ask("commit_offsets", topic=topic, group=other, offsets={"0": 3, "1": 0})
    same({0: 3, 1: 0}, seen(t.client, other), "offsets that the reference committed")


def resets(t):
    topic = t.topic()
    old, new = [b"old %d" % n for n in range(10)], []
    t.reference.ask("produce", topic=topic, partition=0, records=[record(v) for v in old])
    late = t.another()
    late.ask("member", topic=topic, group=t.name("g"), reset="latest")

    def came():
        new.append(b"new %d" % len(new))
        t.reference.ask("produce", topic=topic, partition=0, records=[record(new[-1])])
        return _values_of([late])
    until(came, "a record after the reset to the end", 45)
    same(set(), _values_of([late]) & set(old), "old records after a reset to the end")
    late.ask("leave")
    # A committed offset that the log does not have: to the beginning.
    name = t.name("g")
    t.reference.ask("commit_offsets", topic=topic, group=name, offsets={"0": 100000})
    lost = t.another()
    lost.ask("member", topic=topic, group=name, reset="earliest")
    lost.wait(lambda _: set(old) <= _values_of([lost]), "all records after a reset to the beginning")
    lost.ask("leave")


def topics(t):
    name = t.name("made")
    t.client.ask("create_topic", topic=name, partitions=3, configs={"retention.ms": "123456789"})
    until(lambda: t.client.ask("describe_topic", topic=name)[0]["partitions"] == 3, "the topic to be described")
    same("123456789", t.reference.ask("describe_config", topic=name, key="retention.ms")[0]["value"], "its retention.ms")
    same(True, name in t.client.ask("list_topics")[0]["topics"], "the topic in the list")
    fails_with([36], t.client.ask, "create_topic", topic=name, partitions=1)
    t.client.ask("delete_topic", topic=name)
    until(lambda: name not in t.client.ask("list_topics")[0]["topics"], "the topic to be gone from the list")


def partitions(t):
    name = t.topic(partitions=2)
    t.client.ask("create_partitions", topic=name, total=5)
    until(lambda: t.reference.ask("describe_topic", topic=name)[0]["partitions"] == 5, "five partitions")
    t.client.ask("produce", topic=name, partition=4, records=[record(b"in the new one")])
    fails_with([37], t.client.ask, "create_partitions", topic=name, total=3)


def configs(t):
    name = t.topic()
    t.client.ask("alter_config", topic=name, key="retention.ms", value="7654321")
    for by in (t.reference, t.client):
        same("7654321", by.ask("describe_config", topic=name, key="retention.ms")[0]["value"], "retention.ms after it was altered")
    if "alter_config" in t.hides:
        t.client.ask("alter_config", topic=name, key="retention.ms", value="soon")
    else:
        fails_with([40], t.client.ask, "alter_config", topic=name, key="retention.ms", value="soon")
    same("7654321", t.reference.ask("describe_config", topic=name, key="retention.ms")[0]["value"], "retention.ms after a refusal")


def delete_records(t):
    name = t.topic()
    t.reference.ask("produce", topic=name, partition=0, records=[record(v) for v in values(10)])
    t.client.ask("delete_records", topic=name, partition=0, before=4)
    same(4, t.client.ask("list_offsets", topic=name, partition=0, at="earliest")[0]["offset"], "the earliest offset")
    same(4, t.reference.ask("list_offsets", topic=name, partition=0, at="earliest")[0]["offset"], "the earliest offset")


def groups(t):
    topic, name = t.topic(), t.name("g")
    member = t.another()
    t.reference.ask("produce", topic=topic, partition=0, records=[record(b"x")])
    member.ask("member", topic=topic, group=name, reset="earliest")
    member.wait(lambda _: member.records(), "a record")
    member.ask("commit")
    same(True, name in t.client.ask("list_groups")[0]["groups"], "the group in the list")
    found = t.client.ask("describe_group", group=name)[0]
    same(("Stable", 1), (found["state"], found["members"]), "state and members")
    fails_with([68], t.client.ask, "delete_group", group=name)
    member.ask("leave")
    until(lambda: t.client.ask("delete_group", group=name) == [], "the group to be deleted")
    until(lambda: name not in t.client.ask("list_groups")[0]["groups"], "the group to be gone")


def unknown_topic(t):
    fails_with([3], t.client.ask, "describe_topic", topic=t.name("nowhere"))
    fails_with([17, None], t.client.ask, "create_topic", topic="not/a topic", partitions=1)
    fails_with([3], t.client.ask, "delete_topic", topic=t.name("nowhere"))


def too_large(t):
    topic = t.topic(max_message_bytes="100000")
    value = random.Random(7).randbytes(200000)
    fails_with([10], t.client.ask, "produce", topic=topic, partition=0, records=[record(value)], limit=4 << 20)
    same(0, t.reference.ask("list_offsets", topic=topic, partition=0, at="latest")[0]["offset"], "the end of the log")
    t.client.ask("produce", topic=topic, partition=0, records=[record(b"small")])


def out_of_range(t):
    topic = t.topic()
    t.reference.ask("produce", topic=topic, partition=0, records=[record(b"x")])
    fails_with([1], t.client.ask, "consume", topic=topic, partition=0, offset=1000, count=1, seconds=20)


def wrong_partition(t):
    topic = t.topic(partitions=2)
    try:
        fails_with([3, None], t.client.ask, "produce", topic=topic, partition=9999, records=[record(b"x")], seconds=12)
    except Broken:
        raise AssertionError("no answer to a produce to a partition that is not there") from None
    t.client.ask("produce", topic=topic, partition=1, records=[record(b"x")])


FEATURES = {
    "plain": plain, "gzip": codec("gzip"), "snappy": codec("snappy"), "lz4": codec("lz4"), "zstd": codec("zstd"), "keys": keys, "headers": headers,
    "times": timestamps, "ends": ends, "large": large, "idempotent": idempotent, "group": group, "rebalance": rebalance, "static": static,
    "consumer-protocol": consumer_protocol, "commits": commits, "resets": resets, "topics": topics, "partitions": partitions, "configs": configs,
    "delete-records": delete_records, "groups": groups, "unknown-topic": unknown_topic, "too-large": too_large, "out-of-range": out_of_range,
    "wrong-partition": wrong_partition,
}
# What each needs of a broker beyond the first record: the API's number and name. Not served: the cell is "not there yet".
NEEDS = {"consumer-protocol": (68, "ConsumerGroupHeartbeat"), "partitions": (37, "CreatePartitions"), "delete-records": (21, "DeleteRecords"),
         "configs": (44, "IncrementalAlterConfigs")}
