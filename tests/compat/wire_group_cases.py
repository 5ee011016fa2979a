"""The requests of the comparison for groups: coordinators, joining and leaving, offsets, what administrators see.

Members have connections of their own, since a join waits for the others and holds up what comes behind it.
"""
import struct
import uuid

import rawclient
from records import batch
from wire_session import NOW, ZERO

UNKNOWN_ID = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


def subscription(*topics):
    return struct.pack(">hi", 0, len(topics)) + b"".join(struct.pack(">h", len(t)) + t.encode() for t in topics) + struct.pack(">i", -1)


class Member:
    """One client of a group. What it is told goes on record under the labels that the cases give."""

    def __init__(self, s, group, instance=None, topics=("known",), protocols=None, kind="consumer"):
        self.s, self.group, self.instance, self.kind = s, group, instance, kind
        self.protocols = protocols or [("range", subscription(*(s.topic_name(t) for t in topics)))]
        self.id, self.generation, self.leader, self.pending = "", -1, "", None
        self.connection = rawclient.Connection(s.address, s.protocol)

    def ask(self, label, api, version, **body):
        self.send(api, version, **body)
        return self.answer(label)

    def send(self, api, version, **body):
        self.connection.send(api, version, body)
        self.pending = (api, version)

    def answer(self, label, wait=15):
        api, version = self.pending
        self.connection.socket.settimeout(wait)
        try:
            got = self.connection.receive(api, version)
        except (rawclient.Closed, rawclient.Silent) as error:
            got = type(error).__name__.lower()
        if isinstance(got, dict) and got.get("MemberId") and got["MemberId"] not in self.s.aliases:
            number = sum(a.endswith(f"of {self.group}") for a in self.s.aliases.values())
            self.s.aliases[got["MemberId"]] = f"member {number} of {self.group}"
        if isinstance(got, dict) and api == "JoinGroup":
            self.id = got["MemberId"] or self.id
            if not got["ErrorCode"]:
                self.generation, self.leader = got["GenerationId"], got["Leader"]
        if label:
            self.s.requests[label] = api
            self.s.record(label, self.s.version, self.s.hide(got))
        return got

    def join_body(self, version, **more):
        body = {"GroupId": self.group, "SessionTimeoutMs": 10_000, "MemberId": self.id, "ProtocolType": self.kind,
                "Protocols": [{"Name": n, "Metadata": m} for n, m in self.protocols]}
        if version >= 1:
            body["RebalanceTimeoutMs"] = 10_000
        if version >= 5 and self.instance:
            body["GroupInstanceId"] = self.instance
        return {**body, **more}

    def join(self, label, version, **more):
        return self.ask(label, "JoinGroup", version, **self.join_body(version, **more))

    def start_join(self, version, **more):
        self.send("JoinGroup", version, **self.join_body(version, **more))

    def enter(self, version=9):
        """In the group, past the two steps of a first join."""
        got = self.join(None, version)
        if got["ErrorCode"] == 79:
            got = self.join(None, version)
        return got

    def sync_body(self, version, assignments=(), **more):
        body = {"GroupId": self.group, "GenerationId": self.generation, "MemberId": self.id,
                "Assignments": [{"MemberId": m, "Assignment": a} for m, a in assignments]}
        if version >= 5:
            body.update(ProtocolType=self.kind, ProtocolName=self.protocols[0][0])
        if version >= 3 and self.instance:
            body["GroupInstanceId"] = self.instance
        return {**body, **more}

    def sync(self, label, version=5, assignments=(), **more):
        return self.ask(label, "SyncGroup", version, **self.sync_body(version, assignments, **more))

    def heartbeat(self, label, version=4, **more):
        body = {"GroupId": self.group, "GenerationId": self.generation, "MemberId": self.id}
        if version >= 3 and self.instance:
            body["GroupInstanceId"] = self.instance
        return self.ask(label, "Heartbeat", version, **{**body, **more})

    def wait_for_rebalance(self):
        """Until the coordinator has seen another member's join, which came on another connection."""
        rawclient.wait_until(lambda: self.heartbeat(None)["ErrorCode"], 10, "the rebalance")

    def leave(self, label=None, version=5, **more):
        body = {"GroupId": self.group}
        if version >= 3:
            body["Members"] = [{"MemberId": self.id, "GroupInstanceId": self.instance}]
        else:
            body["MemberId"] = self.id
        return self.ask(label, "LeaveGroup", version, **{**body, **more})

    def close(self):
        self.connection.close()


def ready(s):
    """The coordinator is there, and has loaded what it keeps."""
    def there():
        found = s.call("FindCoordinator", 4, KeyType=0, CoordinatorKeys=["any"])["Coordinators"][0]["ErrorCode"] == 0
        return found and s.call("ListGroups", 4)["ErrorCode"] == 0 and s.call("DescribeGroups", 5, Groups=["any"])["Groups"][0]["ErrorCode"] == 0
    rawclient.wait_until(there, 30, f"the coordinator ({s.name})")


def alone(s, group, **options):
    """A stable group of one member."""
    ready(s)
    member = Member(s, s.topic_name(group), **options)
    member.enter()
    member.sync(None, assignments=[(member.id, b"part")])
    return member


# --- FindCoordinator

def find_coordinator(s, v):
    ready(s)

    def ask(label, key, kind=0):
        body = {"CoordinatorKeys": [key]} if v >= 4 else {"Key": key}
        if v >= 1:
            body["KeyType"] = kind
        s.ask(f"FindCoordinator: {label}", "FindCoordinator", v, **body)

    ask("a group", s.topic_name("group"))
    ask("an empty name", "")
    if v >= 1:
        ask("of an unknown sort", "x", 9)
    if v == 0:
        internal_topic(s)
    if v >= 4:
        s.ask("FindCoordinator: two groups", "FindCoordinator", v, KeyType=0, CoordinatorKeys=["a", "b"])
        s.ask("FindCoordinator: none", "FindCoordinator", v, KeyType=0, CoordinatorKeys=[])


def internal_topic(s):
    """What clients may do to __consumer_offsets itself."""
    name, label = "__consumer_offsets", "Internal topic: "
    s.ask(label + "metadata", "Metadata", 12, key=0, Topics=[{"Name": name, "TopicId": ZERO}], AllowAutoTopicCreation=False)
    s.ask(label + "produce", "Produce", 9, key=0, Acks=-1, TimeoutMs=1000, TopicData=[
        {"Name": name, "PartitionData": [{"Index": 0, "Records": batch(b"value", timestamp=NOW)}]}])
    s.ask(label + "delete records", "DeleteRecords", 2, key=0, TimeoutMs=1000, Topics=[
        {"Name": name, "Partitions": [{"PartitionIndex": 0, "Offset": 0}]}])
    s.ask(label + "create", "CreateTopics", 7, key=0, timeoutMs=1000, Topics=[{"Name": name, "NumPartitions": 1, "ReplicationFactor": 1}])


# --- JoinGroup

def join_group(s, v):
    ready(s)
    label = "JoinGroup: "

    def one(name, **options):
        return Member(s, s.topic_name(f"join-v{v}-{name}"), **options)

    a = one("first")
    a.join(label + "a first member", v)
    if v >= 4:
        a.join(label + "with the id that it was given", v)
    a.join(label + "again before the assignment", v)
    a.sync(None, assignments=[(a.id, b"A")])
    b = one("first")
    if v >= 4:
        b.join(None, v)
    b.start_join(v)
    a.wait_for_rebalance()
    a.start_join(v)
    b.answer(label + "a second member")
    a.answer(label + "the leader, with a second member")
    a.sync(None, assignments=[(a.id, b"A"), (b.id, b"B")])
    b.sync(None)
    b.join(label + "a follower again", v)
    b.join(label + "another type of protocol", v, ProtocolType="connect")
    b.join(label + "no protocol in common", v, Protocols=[{"Name": "other", "Metadata": b""}])
    b.join(label + "an unknown member", v, MemberId="nobody")
    a.join(label + "in a group that is not there, with an id", v, GroupId=s.topic_name(f"join-v{v}-none"), MemberId="nobody")
    x = one("bad")
    x.join(label + "an empty group name", v, GroupId="")
    x.join(label + "a session of one second", v, SessionTimeoutMs=1000)
    x.join(label + "a session of an hour", v, SessionTimeoutMs=3_600_000)
    x.join(label + "no protocols", v, Protocols=[])
    x.join(label + "no type", v, ProtocolType="")
    for member in (a, b, x):
        member.close()
    if v >= 5:
        join_static(s, v)


def join_static(s, v):
    label, group = "JoinGroup: ", s.topic_name(f"static-v{v}")
    a = Member(s, group, instance="one")
    a.join(label + "a static member", v)
    a.sync(None, assignments=[(a.id, b"A")])
    b = Member(s, group, instance="two")
    b.start_join(v)
    a.wait_for_rebalance()
    a.join(None, v)
    b.answer(None)
    leader, follower = (a, b) if a.leader == a.id else (b, a)
    leader.sync(None, assignments=[(a.id, b"A"), (b.id, b"B")])
    follower.sync(None)
    again = Member(s, group, instance=follower.instance)
    again.join(label + "a static follower comes back", v)
    again.sync(label + "a static follower comes back: its part", 5)
    follower.heartbeat(label + "its older self", 4)
    follower.join(label + "its older self joins", v)
    other = Member(s, group, instance=again.instance, topics=("known", "offsets"))
    other.join(label + "a static follower comes back with another subscription", v)
    boss = Member(s, group, instance=leader.instance)
    boss.join(label + "a static leader comes back", v)
    boss.sync(label + "a static leader comes back: its part", 5)
    boss.join(label + "an unknown static member with an id", v, GroupInstanceId="three")
    for member in (a, b, again, other, boss):
        member.close()


# --- SyncGroup, Heartbeat, LeaveGroup

def sync_group(s, v):
    ready(s)
    label = "SyncGroup: "
    a = Member(s, s.topic_name(f"sync-v{v}"))
    a.enter()
    a.sync(label + "a stale generation", v, GenerationId=0)
    a.sync(label + "an unknown member", v, MemberId="nobody")
    a.sync(label + "a group that is not there", v, GroupId=s.topic_name("nothing"))
    a.sync(label + "an empty group name", v, GroupId="")
    if v >= 5:
        a.sync(label + "another protocol", v, ProtocolName="other")
        a.sync(label + "another type", v, ProtocolType="other")
        a.sync(label + "no protocol", v, ProtocolName=None)
    a.sync(label + "the leader", v, [(a.id, b"part"), ("nobody", b"else")])
    a.sync(label + "the leader again", v, [(a.id, b"other")])
    b = Member(s, a.group)
    b.join(None, 9)
    b.start_join(9)
    a.wait_for_rebalance()
    a.sync(label + "while others join", v)
    a.enter()
    b.answer(None)
    b.send("SyncGroup", v, **b.sync_body(v))
    a.sync(None, 5, [(a.id, b"")])
    b.answer(label + "a follower without a part")
    a.close()
    b.close()


def heartbeat(s, v):
    label = "Heartbeat: "
    a = alone(s, f"heartbeat-v{v}")
    a.heartbeat(label + "a member", v)
    a.heartbeat(label + "a stale generation", v, GenerationId=0)
    a.heartbeat(label + "an unknown member", v, MemberId="nobody")
    a.heartbeat(label + "a group that is not there", v, GroupId=s.topic_name("nothing"))
    a.heartbeat(label + "an empty group name", v, GroupId="")
    if v >= 3:
        a.heartbeat(label + "an unknown instance", v, GroupInstanceId="nobody")
    b = Member(s, a.group)
    b.join(None, 9)
    b.start_join(9)
    a.wait_for_rebalance()
    a.heartbeat(label + "while others join", v)
    a.enter()
    b.answer(None)
    a.heartbeat(label + "while the assignment is awaited", v)
    a.close()
    b.close()


def leave_group(s, v):
    label = "LeaveGroup: "
    a = alone(s, f"leave-v{v}")
    a.leave(label + "a group that is not there", v, GroupId=s.topic_name("nothing"))
    a.leave(label + "an empty group name", v, GroupId="")
    if v >= 3:
        a.leave(label + "an unknown member", v, Members=[{"MemberId": "nobody", "GroupInstanceId": None}])
        a.leave(label + "an unknown instance", v, Members=[{"MemberId": "", "GroupInstanceId": "nobody"}])
        a.leave(label + "nobody", v, Members=[])
        a.leave(label + "a member twice and an unknown one", v, Members=[{"MemberId": m, "GroupInstanceId": None} for m in (a.id, a.id, "nobody")])
        static = alone(s, f"leave-static-v{v}", instance="one")
        static.leave(label + "another member's instance", v, Members=[{"MemberId": "other", "GroupInstanceId": "one"}])
        static.leave(label + "by instance only", v, Members=[{"MemberId": "", "GroupInstanceId": "one"}])
        static.close()
    else:
        a.leave(label + "an unknown member", v, MemberId="nobody")
        a.leave(label + "a member", v)
    promised = Member(s, a.group)
    promised.join(None, 9)
    promised.leave(label + "who was only given an id", v)
    a.heartbeat(label + "the heartbeat of who has left", 4)
    a.close()
    promised.close()


# --- Offsets

def commit_body(s, v, group, topics, member="", generation=-1, instance=None, retention=None):
    body = {"GroupId": group, "Topics": []}
    if v >= 1:
        body.update(GenerationIdOrMemberEpoch=generation, MemberId=member)
    if v >= 7 and instance:
        body["GroupInstanceId"] = instance
    if 2 <= v <= 4 and retention is not None:
        body["RetentionTimeMs"] = retention
    for name, partitions in topics:
        topic = {"TopicId": s.id_of(name) if name != "unknown id" else UNKNOWN_ID} if v >= 10 else {"Name": name}
        topic["Partitions"] = [{"PartitionIndex": p, "CommittedOffset": offset, "CommittedMetadata": metadata} for p, offset, metadata in partitions]
        body["Topics"].append(topic)
    return body


def offset_commit(s, v):
    ready(s)
    label, known = "OffsetCommit: ", s.topic_name("known")

    def ask(what, group, topics, **more):
        s.ask(label + what, "OffsetCommit", v, **commit_body(s, v, group, topics, **more))

    simple = s.topic_name(f"commit-v{v}")
    ask("without a group", simple, [(known, [(0, 5, "text")])])
    ask("null metadata", simple, [(known, [(0, 6, None)])])
    ask("a partition that is not there", simple, [(known, [(0, 7, ""), (9, 7, "")])])
    ask("a topic that is not there", simple, [(s.topic_name("nobody") if v < 10 else "unknown id", [(0, 7, "")])])
    ask("a negative partition", simple, [(known, [(-1, 7, "")])])
    ask("a negative offset", simple, [(known, [(0, -5, "")])])
    ask("metadata of 4097 bytes", simple, [(known, [(0, 8, "x" * 4097)])])
    ask("no topics", simple, [])
    ask("no partitions", simple, [(known, [])])
    ask("an empty group name", "", [(known, [(0, 5, "")])])
    if 2 <= v <= 4:
        ask("with a retention", s.topic_name(f"retained-v{v}"), [(known, [(0, 5, "")])], retention=60_000)
    ask("a generation of a group that is not there", s.topic_name("nothing"), [(known, [(0, 5, "")])], member="x", generation=3)
    a = alone(s, f"commit-group-v{v}")
    ask("a member", a.group, [(known, [(0, 5, "")])], member=a.id, generation=a.generation)
    ask("a stale generation", a.group, [(known, [(0, 5, "")])], member=a.id, generation=0)
    ask("an unknown member", a.group, [(known, [(0, 5, "")])], member="nobody", generation=a.generation)
    ask("without a member in a group that has some", a.group, [(known, [(0, 5, "")])])
    b = Member(s, a.group)
    b.join(None, 9)
    b.start_join(9)
    a.wait_for_rebalance()
    ask("while others join", a.group, [(known, [(0, 9, "")])], member=a.id, generation=a.generation)
    a.enter()
    b.answer(None)
    ask("while the assignment is awaited", a.group, [(known, [(0, 10, "")])], member=a.id, generation=a.generation)
    a.close()
    b.close()


def offset_fetch(s, v):
    ready(s)
    label, known, other = "OffsetFetch: ", s.topic_name("known"), s.topic_name("offsets")
    group, nothing = s.topic_name(f"fetched-v{v}"), s.topic_name("nothing")
    for topic, offset in ((known, 5), (other, 6)):
        s.call("OffsetCommit", 8, **commit_body(s, 8, group, [(topic, [(0, offset, f"of {offset}")])]))

    def topics(*names):
        return [{"Name": n, "TopicId": s.id_of(n) if n != "unknown id" else UNKNOWN_ID, "PartitionIndexes": [0, 3]} for n in names]

    def ask(what, name, wanted, **more):
        if wanted is not None:
            wanted = [{k: x for k, x in t.items() if k != ("Name" if v >= 10 else "TopicId")} for t in wanted]
        body = {"Groups": [{"GroupId": name, "Topics": wanted}]} if v >= 8 else {"GroupId": name, "Topics": wanted}
        s.ask(label + what, "OffsetFetch", v, **body, **more)

    ask("two topics", group, topics(known, other))
    ask("a topic that is not there", group, topics("unknown id" if v >= 10 else s.topic_name("nobody")))
    ask("no topics", group, [])
    ask("a group that is not there", nothing, topics(known))
    ask("an empty group name", "", topics(known))
    if v >= 2:
        ask("all topics", group, None)
        ask("all topics of a group that is not there", nothing, None)
    if v >= 7:
        ask("stable ones", group, topics(known), RequireStable=True)
    if v >= 8:
        s.ask(label + "two groups", "OffsetFetch", v, Groups=[{"GroupId": g, "Topics": None} for g in (group, nothing)])
        s.ask(label + "no groups", "OffsetFetch", v, Groups=[])
    if v >= 9:
        s.ask(label + "as a member", "OffsetFetch", v, Groups=[{"GroupId": group, "MemberId": "x", "MemberEpoch": 3, "Topics": None}])


def offset_delete(s, v):
    label, known, other = "OffsetDelete: ", s.topic_name("known"), s.topic_name("offsets")
    a = alone(s, f"offset-delete-v{v}")

    def ask(what, group, *names):
        s.ask(label + what, "OffsetDelete", v, GroupId=group, Topics=[{"Name": n, "Partitions": [{"PartitionIndex": 0}, {"PartitionIndex": 9}]} for n in names])

    for topic in (known, other):
        s.call("OffsetCommit", 8, **commit_body(s, 8, a.group, [(topic, [(0, 5, "")])], member=a.id, generation=a.generation))
    ask("read and not read", a.group, known, other)
    ask("a topic that is not there", a.group, s.topic_name("nobody"))
    ask("a group that is not there", s.topic_name("nothing"), known)
    ask("no topics", a.group)
    ask("an empty group name", "", known)
    a.leave()
    ask("of an empty group", a.group, known)
    connect = alone(s, f"offset-delete-connect-v{v}", kind="connect", protocols=[("default", b"")])
    ask("of a group that is none of consumers", connect.group, known)
    a.close()
    connect.close()


# --- Administrators

def list_groups(s, v):
    a = alone(s, f"list-v{v}")
    s.call("OffsetCommit", 8, **commit_body(s, 8, s.topic_name(f"list-simple-v{v}"), [(s.topic_name("known"), [(0, 1, "")])]))
    gone = alone(s, f"list-gone-v{v}")
    gone.leave()

    def ask(what, **filters):
        answer = s.call("ListGroups", v, **filters)
        mine = [g for g in answer["Groups"] if g["GroupId"].startswith(s.topic_name("list-")) and g["GroupId"].endswith(f"v{v}")]
        label = f"ListGroups: {what}"
        s.requests[label] = "ListGroups"
        s.record(label, v, s.hide({**answer, "Groups": sorted(mine, key=lambda g: g["GroupId"])}))

    ask("all")
    if v >= 4:
        ask("stable ones", StatesFilter=["Stable"])
        ask("empty or stable, in other letters", StatesFilter=["eMPTY", "stable"])
        ask("an unknown state", StatesFilter=["Asleep"])
    if v >= 5:
        ask("classic ones", TypesFilter=["classic"])
        ask("classic ones, in other letters", TypesFilter=["CLASSIC"])
        ask("consumer ones", TypesFilter=["consumer"])
    a.close()
    gone.close()


def describe_groups(s, v):
    label = "DescribeGroups: "
    a = alone(s, f"describe-v{v}", instance="one" if v >= 4 else None)
    simple = s.topic_name(f"describe-simple-v{v}")
    s.call("OffsetCommit", 8, **commit_body(s, 8, simple, [(s.topic_name("known"), [(0, 1, "")])]))

    def ask(what, *groups, **more):
        s.ask(label + what, "DescribeGroups", v, Groups=list(groups), **more)

    ask("a stable group", a.group)
    ask("a group that is not there", s.topic_name("nothing"))
    ask("without members", simple)
    ask("an empty name", "")
    ask("two", a.group, simple)
    ask("none")
    if v >= 3:
        ask("with operations", a.group, s.topic_name("nothing"), IncludeAuthorizedOperations=True)
    b = Member(s, a.group)
    b.join(None, 9)
    b.start_join(9)
    a.wait_for_rebalance()
    answer = s.call("DescribeGroups", v, Groups=[a.group])
    s.requests[label + "while others join"] = "DescribeGroups"
    for group in answer["Groups"]:
        group["Members"].sort(key=lambda m: m["MemberId"] != a.id)
    s.record(label + "while others join", v, s.hide(answer))
    a.enter()
    b.answer(None)
    answer = s.call("DescribeGroups", v, Groups=[a.group])
    for group in answer["Groups"]:
        group["Members"].sort(key=lambda m: m["MemberId"] != a.id)
    s.requests[label + "while the assignment is awaited"] = "DescribeGroups"
    s.record(label + "while the assignment is awaited", v, s.hide(answer))
    a.close()
    b.close()


def delete_groups(s, v):
    label = "DeleteGroups: "
    a = alone(s, f"delete-v{v}")
    simple = s.topic_name(f"delete-simple-v{v}")
    s.call("OffsetCommit", 8, **commit_body(s, 8, simple, [(s.topic_name("known"), [(0, 1, "")])]))

    def ask(what, *groups):
        s.ask(label + what, "DeleteGroups", v, GroupsNames=list(groups))

    ask("a group that lives", a.group)
    ask("a group that is not there", s.topic_name("nothing"))
    ask("an empty name", "")
    ask("without members, and one that lives", simple, a.group)
    ask("none")
    a.leave()
    ask("when the last one has left", a.group)
    ask("once more", a.group)
    s.ask(label + "what is left of its offsets", "OffsetFetch", 7, key=v, GroupId=simple, Topics=None)
    a.close()


ALL = {"FindCoordinator": find_coordinator, "JoinGroup": join_group, "SyncGroup": sync_group, "Heartbeat": heartbeat, "LeaveGroup": leave_group,
       "OffsetCommit": offset_commit, "OffsetFetch": offset_fetch, "OffsetDelete": offset_delete, "ListGroups": list_groups,
       "DescribeGroups": describe_groups, "DeleteGroups": delete_groups}
