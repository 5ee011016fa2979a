"""The requests of the comparison for groups of the consumer protocol (KIP-848): heartbeats, descriptions, what the APIs of classic groups and
of offsets make of them, and live groups that go over from one protocol to the other.

A target assignment is made at most once a second by default, so the cases wait where they want the next one.
"""
import struct
import time
import uuid

import rawclient
from wire_group_cases import Member, commit_body, ready, subscription

INTERVAL = 1.15         # more than group.consumer.assignment.interval.ms


def assignment(topic, *partitions):
    name = topic.encode()
    return struct.pack(f">hih{len(name)}si{len(partitions)}ii", 0, 1, len(name), name, len(partitions), *partitions, -1)


class Consumer:
    """One member; what it is told goes on record under the labels that the cases give."""

    def __init__(self, s, group, member, version=1, topics=("three",), **fixed):
        self.s, self.group, self.version, self.fixed = s, group, version, fixed
        self.id, self.epoch, self.topics = member, 0, [s.topic_name(t) for t in topics]

    def tell(self, label, **body):
        full = {"GroupId": self.group, "MemberId": self.id, "MemberEpoch": self.epoch, **self.fixed, **body}
        answer = self.s.call("ConsumerGroupHeartbeat", self.version, **full)
        if label:
            self.s.requests[label] = "ConsumerGroupHeartbeat"
            self.s.record(label, self.s.version, self.s.hide(sorted_parts(answer)))
        if not answer["ErrorCode"]:
            self.id, self.epoch = answer["MemberId"], answer["MemberEpoch"]
        return answer

    def join(self, label=None, **body):
        return self.tell(label, **{"MemberEpoch": 0, "RebalanceTimeoutMs": 10_000, "SubscribedTopicNames": self.topics, "TopicPartitions": [], **body})

    def has(self, label, *partitions, topic="three", **body):
        topics = [{"TopicId": self.s.id_of(self.s.topic_name(topic)), "Partitions": list(partitions)}] if partitions else []
        return self.tell(label, TopicPartitions=topics, **body)


def sorted_parts(answer):
    """Partitions and topics in order: Kafka's come out of hash maps."""
    if isinstance(answer, dict):
        out = {k: sorted_parts(v) for k, v in answer.items()}
        if isinstance(out.get("Partitions"), list) and out["Partitions"] and isinstance(out["Partitions"][0], int):
            out["Partitions"] = sorted(out["Partitions"])
        if isinstance(out.get("TopicPartitions"), list):
            out["TopicPartitions"] = sorted(out["TopicPartitions"], key=lambda t: len(t["Partitions"]))
        if isinstance(out.get("Members"), list):
            out["Members"] = sorted(out["Members"], key=lambda m: m["MemberId"])
        return out
    return [sorted_parts(v) for v in answer] if isinstance(answer, list) else answer


def prepare(s):
    ready(s)
    if s.id_of(s.topic_name("three")).int == 0:
        s.make_topic("three", 3)
        s.make_topic("two", 2)


def describe(s, label, *groups, version=1, **more):
    answer = s.call("ConsumerGroupDescribe", version, GroupIds=list(groups), **more)
    answer["Groups"].sort(key=lambda g: g["GroupId"])
    s.requests[label] = "ConsumerGroupDescribe"
    s.record(label, s.version, s.hide(sorted_parts(answer)))


def pair(s, name, version=1, **options):
    """Two members that share a topic of three: one has two of them, the other one. Which, the ids decide."""
    group = s.topic_name(name)
    a, b = Consumer(s, group, "a", version, **options), Consumer(s, group, "b", version, **options)
    a.join()
    b.join()
    time.sleep(INTERVAL)
    told = a.tell(None)
    kept = told["Assignment"]["TopicPartitions"][0]["Partitions"]
    a.has(None, *kept)
    b.tell(None)
    return a, b, kept


def heartbeat(s, v):
    prepare(s)
    label, group = "ConsumerGroupHeartbeat: ", s.topic_name(f"consumers-v{v}")

    def one(name="m", version=v, **options):
        return Consumer(s, group, name, version, **options)

    one().join(label + "an empty member id", MemberId="") if v >= 1 else None
    one().join(label + "an empty group name", GroupId="")
    one().join(label + "no rebalance timeout", RebalanceTimeoutMs=-1)
    one().join(label + "no partitions said", TopicPartitions=None)
    one().join(label + "partitions when joining", TopicPartitions=[{"TopicId": uuid.UUID(int=5), "Partitions": [0]}])
    one().join(label + "no subscription", SubscribedTopicNames=None)
    one().join(label + "an epoch of -3", MemberEpoch=-3)
    one().join(label + "leaves for a while without an instance", MemberEpoch=-2)
    one().join(label + "an empty instance", InstanceId="")
    one().join(label + "an empty rack", RackId="")
    one().join(label + "an unknown assignor", ServerAssignor="best")
    one().join(label + "a group that is not there, with an epoch", MemberEpoch=1)
    one().join(label + "leaves a group that is not there", MemberEpoch=-1)
    group += "-a"
    a = one("a", topics=("three",))
    a.join(label + "a first member", RackId="rack")
    a.tell(label + "and again")
    a.tell(label + "an epoch that is too great", MemberEpoch=7)
    a.tell(label + "an epoch that is too small", MemberEpoch=1)
    a.tell(label + "an unknown member", MemberId="nobody")
    a.tell(label + "an unknown member leaves", MemberId="nobody", MemberEpoch=-1)
    a.tell(label + "an unknown instance", InstanceId="nobody")
    a.join(label + "joins again")
    a.has(label + "says everything", 0, 1, 2, RebalanceTimeoutMs=10_000, SubscribedTopicNames=a.topics)
    b = one("b")
    b.join(label + "a second member")
    time.sleep(INTERVAL)
    told = a.tell(None)
    kept = told["Assignment"]["TopicPartitions"][0]["Partitions"]
    s.requests[label + "is to give up"] = "ConsumerGroupHeartbeat"
    s.record(label + "is to give up", v, [told["ErrorCode"], told["MemberEpoch"], len(kept)])
    b.tell(label + "waits")
    a.has(label + "has not given up", 0, 1, 2)
    a.has(label + "has given up", *kept)
    a.has(label + "in the epoch before", *kept, MemberEpoch=2)
    a.epoch = 3
    a.tell(label + "in the epoch before, without saying what it has", MemberEpoch=2)
    told = b.tell(None)
    s.requests[label + "gets it"] = "ConsumerGroupHeartbeat"
    s.record(label + "gets it", v, [told["ErrorCode"], told["MemberEpoch"], len(told["Assignment"]["TopicPartitions"][0]["Partitions"])])
    a.tell(label + "reads more", SubscribedTopicNames=a.topics + [s.topic_name("two")])
    a.tell(label + "reads what is not there", SubscribedTopicNames=a.topics + [s.topic_name("nobody")])
    time.sleep(INTERVAL)
    a.tell(label + "with what is not there")
    b.tell(label + "leaves", MemberEpoch=-1)
    time.sleep(INTERVAL)
    a.tell(label + "alone again")
    a.tell(label + "reads something else", SubscribedTopicNames=[s.topic_name("two")])
    time.sleep(INTERVAL)
    a.has(label + "has given all up")
    a.tell(label + "the last one leaves", MemberEpoch=-1)
    static(s, v)
    if v >= 1:
        expressions(s, v)
    migrations(s, v)


def static(s, v):
    label, group = "ConsumerGroupHeartbeat: static: ", s.topic_name(f"consumers-static-v{v}")
    a, b = (Consumer(s, group, m, v, InstanceId="i") for m in "ab")
    a.join(label + "a member")
    a.join(label + "joins again")
    b.join(label + "another one joins")
    b.tell(label + "another one speaks", MemberEpoch=2)
    a.tell(label + "an unknown instance", InstanceId="nobody")
    b.tell(label + "another one leaves for a while", MemberEpoch=-2)
    a.tell(label + "leaves for a while", MemberEpoch=-2)
    describe(s, label + "is away", group)
    a.tell(label + "speaks while away", MemberEpoch=2)
    b.join(label + "comes back as another one")
    a.tell(label + "its older self", MemberEpoch=2)
    b.tell(label + "leaves for a while again", MemberEpoch=-2)
    a.join(label + "comes back with another subscription", SubscribedTopicNames=[s.topic_name("two")])
    a.tell(label + "leaves for good", MemberEpoch=-1)


def expressions(s, v):
    label, group = "ConsumerGroupHeartbeat: expression: ", s.topic_name(f"consumers-regex-v{v}")
    bad = Consumer(s, s.topic_name(f"consumers-bad-v{v}"), "m", v)
    for what, regex in (("a parenthesis", "(("), ("a bracket", "[a"), ("a range", "[b-a]"), ("an escape", r"\8"), ("a repetition", "a**"),
                        ("a repetition of nothing", "*a"), ("a count", "a{2000}"), ("a look ahead", "(?=a)"), ("a class", "[[:foo:]]"), ("a property", r"\pX"),
                        ("a backslash", "a\\"), ("a closing parenthesis", "a)"), ("a name", "(?P<n")):
        bad.join(f"{label}bad: {what}", SubscribedTopicNames=None, SubscribedTopicRegex=regex)
    a = Consumer(s, group, "m", v)
    a.join(None, SubscribedTopicNames=None, SubscribedTopicRegex=f"{s.run}-(three|two|t.{{0}}none)")
    time.sleep(0.3)     # Kafka looks for the topics aside
    a.tell(None)
    describe(s, label + "a group", group)
    a.tell(label + "none any more", SubscribedTopicRegex="")
    time.sleep(INTERVAL)
    a.has(label + "none any more, given up")
    a.tell(None, MemberEpoch=-1)


def migrations(s, v):
    label = "Migration: "
    three = s.topic_name("three")

    def member(group, **options):
        return Member(s, s.topic_name(f"migration-{group}-v{v}"), topics=("three",), **options)

    a = member("up")
    a.enter()
    a.sync(None, assignments=[(a.id, assignment(three, 0, 1, 2))])
    m = Consumer(s, a.group, "m", v)
    m.tell(label + "an epoch in a classic group", MemberEpoch=1)
    m.tell(label + "leaves a classic group", MemberEpoch=-1)
    m.join(label + "a consumer joins a classic group")
    a.heartbeat(label + "the classic member is to join")
    a.sync(label + "the classic member syncs too early", 5)
    a.join(label + "the classic member joins", 9)
    a.sync(None)
    a.heartbeat(label + "the classic member in its generation")
    a.heartbeat(label + "another generation", GenerationId=9)
    a.heartbeat(label + "an unknown member", MemberId="nobody")
    a.heartbeat(label + "a consumer in the classic way", MemberId="m")
    a.sync(label + "another protocol", 5, ProtocolName="other")
    a.sync(label + "another generation syncs", 5, GenerationId=9)
    b = member("up")
    b.join(label + "a second classic member", 9)
    s.aliases[b.id] = "second"
    b.join(label + "with the id that it was given", 9)
    other = member("up", protocols=[("other", subscription(three))])
    other.join(label + "no protocol in common", 9)
    other.join(label + "another type", 9, ProtocolType="connect")
    b.leave(label + "the second one leaves")
    m.tell(label + "the consumer leaves", MemberEpoch=-1)
    s.ask(label + "classic again", "DescribeGroups", 6, key=v, Groups=[a.group])
    connect = member("connect", kind="connect", protocols=[("default", b"")])
    connect.enter()
    connect.sync(None, assignments=[(connect.id, b"")])
    Consumer(s, connect.group, "m", v).join(label + "a group of another type")
    down = Consumer(s, s.topic_name(f"migration-down-v{v}"), "m", v)
    down.join()
    c = member("down")
    c.join(None, 3)
    s.aliases[c.id] = "classic"
    c.sync(label + "nothing for the classic member yet", 5)
    time.sleep(INTERVAL)
    down.tell(None)
    c.heartbeat(label + "there is something to get")
    down.tell(label + "the last consumer leaves", MemberEpoch=-1)
    s.ask(label + "a classic group", "ListGroups", 5, key=v, TypesFilter=["consumer"], StatesFilter=["PreparingRebalance"])
    for one in (a, b, other, connect, c):
        one.close()


def describe_groups(s, v):
    prepare(s)
    label = "ConsumerGroupDescribe: "
    a, b, _ = pair(s, f"described-v{v}")
    nothing = s.topic_name("nothing")
    classic = Member(s, s.topic_name(f"described-classic-v{v}"))
    classic.enter()
    answer = s.call("ConsumerGroupDescribe", v, GroupIds=[a.group])
    for one in answer["Groups"][0]["Members"]:
        for what in ("Assignment", "TargetAssignment"):     # which one has two of three, the ids decide
            one[what] = {"partitions": "some of three"}
    s.requests[label + "two members"] = "ConsumerGroupDescribe"
    s.record(label + "two members", v, s.hide(sorted_parts(answer)))
    describe(s, label + "a classic group", classic.group, version=v)
    describe(s, label + "a group that is not there", nothing, version=v)
    describe(s, label + "an empty name", "", version=v)
    describe(s, label + "none", version=v)
    a.tell(None, MemberEpoch=-1)
    b.tell(None, MemberEpoch=-1)
    describe(s, label + "an empty group, with operations", a.group, nothing, version=v, IncludeAuthorizedOperations=True)
    classic.close()
    others(s, v)


def others(s, v):
    """What the older APIs make of such a group."""
    label, three = "Consumer group: ", s.topic_name("three")
    a, b, kept = pair(s, f"others-v{v}")

    def commit(what, version, partition, member="a", epoch=3):
        topics = [(three, [(partition, 5, "")])]
        s.ask(f"{label}commit: {what}", "OffsetCommit", version, key=v, **commit_body(s, version, a.group, topics, member=member, generation=epoch))

    def fetch(what, member, epoch, group=a.group):
        s.ask(f"{label}fetch: {what}", "OffsetFetch", 9, key=v, Groups=[{"GroupId": group, "MemberId": member, "MemberEpoch": epoch, "Topics": None}])

    lost = next(p for p in range(3) if p not in kept)
    for version in (9, 10):
        commit(f"in its epoch, version {version}", version, kept[0])
    commit("of before epochs", 8, kept[0])
    commit("in the epoch in which it came", 9, kept[0], epoch=2)
    commit("before it came", 9, lost, "b", 2)
    commit("what was given up, in the epoch before", 9, lost, epoch=2)
    commit("too old", 9, kept[0], epoch=1)
    commit("too new", 9, kept[0], epoch=4)
    commit("an unknown member", 9, kept[0], "nobody")
    commit("without a member", 9, kept[0], "", -1)
    s.call("OffsetCommit", 9, **commit_body(s, 9, a.group, [(three, [(0, 5, ""), (1, 5, ""), (2, 5, "")])], member="a", generation=3))
    fetch("in its epoch", "a", 3)
    fetch("in another epoch", "a", 2)
    fetch("an unknown member", "nobody", 3)
    fetch("without a member", None, -1)
    for version in (5, 6):
        s.ask(f"{label}DescribeGroups {version}", "DescribeGroups", version, key=v, Groups=[a.group])
    s.ask(label + "OffsetDelete", "OffsetDelete", 0, key=v, GroupId=a.group, Topics=[
        {"Name": n, "Partitions": [{"PartitionIndex": 0}]} for n in (three, s.topic_name("two"))])
    s.ask(label + "DeleteGroups", "DeleteGroups", 2, key=v, GroupsNames=[a.group])
    for what, filters in (("all", {}), ("consumers", {"TypesFilter": ["Consumer"]}), ("classic ones", {"TypesFilter": ["classic"]}),
                          ("stable ones", {"StatesFilter": ["stable"]}), ("assigning ones", {"StatesFilter": ["Assigning", "Reconciling"]})):
        answer = s.call("ListGroups", 5, **filters)
        s.requests[f"{label}listed: {what}"] = "ListGroups"
        s.record(f"{label}listed: {what}", v, s.hide([g for g in answer["Groups"] if g["GroupId"] == a.group]))
    classic = Member(s, a.group)
    classic.ask(label + "LeaveGroup", "LeaveGroup", 5, GroupId=a.group, Members=[{"MemberId": m, "GroupInstanceId": None} for m in ("b", "nobody")])
    a.tell(None, MemberEpoch=-1)
    s.ask(label + "DeleteGroups when empty", "DeleteGroups", 2, key=v, GroupsNames=[a.group])
    describe(s, label + "deleted", a.group)
    empty = Consumer(s, s.topic_name(f"others-empty-v{v}"), "m")
    empty.join()
    empty.tell(None, MemberEpoch=-1)
    late = Member(s, empty.group)
    late.join(None, 9)
    late.join(label + "a classic member joins an empty one", 9)
    late.close()
    classic.close()


ALL = {"ConsumerGroupHeartbeat": heartbeat, "ConsumerGroupDescribe": describe_groups}
