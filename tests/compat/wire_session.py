"""One side of the comparison: asks a broker, keeps every answer under a label, hides what may differ."""
import re
import time
import uuid

import rawclient

ZERO = uuid.UUID(int=0)
NOW = int(time.time() * 1000) - 60_000   # the timestamp of every record that does not say otherwise: the same on both sides
# Lists whose order in Kafka is that of a hash map, or shuffled on purpose (DeleteTopics): compared as sets. Fetch keeps its order.
_UNORDERED = {"Topics", "Responses", "PartitionResponses", "Groups", "Results", "SupportedFeatures", "FinalizedFeatures", "Configs"}

PREPARED = ("known", "col_lision", "offsets", "fetch", "fetch-empty")    # the topics that are there before the first case


class Session:
    def __init__(self, name, address, protocol, run):
        self.name, self.address, self.protocol, self.run = name, address, protocol, run
        self.answers = {}            # (label, version) -> answer, "closed" or "no answer"
        self.requests = {}           # label -> api
        self.ids = {ZERO: "zero"}    # topic ids seen -> topic name
        self.aliases = {}            # member ids seen -> what they stand for
        self.version = 0             # of the API whose cases are being asked
        self.connection = None
        first = self.call("Metadata", 12, Topics=[])
        self.node = first["Brokers"][0]["NodeId"]
        self.host, self.port = first["Brokers"][0]["Host"], first["Brokers"][0]["Port"]

    # --- unrecorded helpers

    def connect(self):
        if self.connection is None:
            self.connection = rawclient.Connection(self.address, self.protocol)
        return self.connection

    def drop(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def call(self, api, version, **body):
        return self.connect().call(api, version, **body)

    def topic_name(self, suffix):
        return f"{self.run}-{suffix}"

    def make_topic(self, suffix, partitions=1, configs=()):
        """Creates a topic, waits until it can be written to, returns its name."""
        name = self.topic_name(suffix)
        answer = self.call("CreateTopics", 7, Topics=[{"Name": name, "NumPartitions": partitions, "ReplicationFactor": 1, "Configs": [
            {"Name": k, "Value": v} for k, v in configs]}], timeoutMs=10_000)
        if answer["Topics"][0]["ErrorCode"]:
            raise RuntimeError(f"{self.name}: creating {name}: {answer['Topics'][0]}")
        self.wait_topic(name, partitions)
        return name

    def wait_topic(self, name, partitions):
        def there():
            topic = self.call("Metadata", 12, Topics=[{"Name": name, "TopicId": ZERO}], AllowAutoTopicCreation=False)["Topics"][0]
            ready = len(topic["Partitions"]) == partitions and all(p["LeaderId"] >= 0 and not p["ErrorCode"] for p in topic["Partitions"])
            # Kafka publishes the leader a moment before it opens the log: only an answer without NOT_LEADER_OR_FOLLOWER counts.
            if ready and not topic["ErrorCode"] and self._open(name, partitions):
                self.ids[topic["TopicId"]] = name
                return topic["TopicId"]
        return rawclient.wait_until(there, 15, f"topic {name} to be there ({self.name})")

    def _open(self, name, partitions):
        answer = self.call("ListOffsets", 5, ReplicaId=-1, Topics=[
            {"Name": name, "Partitions": [{"PartitionIndex": p, "Timestamp": -1} for p in range(partitions)]}])
        return not any(p["ErrorCode"] for p in answer["Topics"][0]["Partitions"])

    def wait_gone(self, name):
        def gone():
            return self.call("Metadata", 12, Topics=[{"Name": name, "TopicId": ZERO}], AllowAutoTopicCreation=False)["Topics"][0]["ErrorCode"] == 3
        rawclient.wait_until(gone, 15, f"topic {name} to be gone ({self.name})")

    def id_of(self, name):
        return next((i for i, n in self.ids.items() if n == name), ZERO)

    def versions(self, api):
        for entry in self.call("ApiVersions", 2)["ApiKeys"]:
            if entry["ApiKey"] == self.protocol.request(api).key:
                return range(entry["MinVersion"], entry["MaxVersion"] + 1)
        return range(0)

    # --- recorded

    def ask(self, label, api, version, decode=None, wait=15.0, key=None, **body):
        """Sends one request, records what came back under (label, key or version), returns it decoded (None when nothing came).
        `decode`: the version to read the answer in."""
        self.requests[label] = api
        connection = self.connect()
        connection.socket.settimeout(wait)
        try:
            connection.send(api, version, body)
            answer = connection.receive(api, version if decode is None else decode)
        except rawclient.Closed:
            self.record(label, version if key is None else key, "closed")
            self.drop()
            return None
        except rawclient.Silent:
            self.record(label, version if key is None else key, "no answer")
            self.drop()
            return None
        except (ValueError, UnicodeDecodeError) as error:
            self.record(label, version if key is None else key, f"undecodable: {error}")
            self.drop()
            return None
        connection.socket.settimeout(15.0)
        self.record(label, version if key is None else key, self.hide(self.ours(answer)))
        return answer

    def end_offset(self, topic, partition):
        """Where the next record of the partition goes; None if there is no such partition."""
        part = self.call("ListOffsets", 5, ReplicaId=-1, Topics=[{"Name": topic, "Partitions": [{"PartitionIndex": partition, "Timestamp": -1}]}])
        part = part["Topics"][0]["Partitions"][0]
        return None if part["ErrorCode"] else part["Offset"]

    def record(self, label, version, answer):
        if (label, version) in self.answers:
            raise KeyError(f"two answers named {label} v{version}")
        self.answers[label, version] = answer

    def ours(self, answer):
        """Metadata of all topics: only those that the preparation made, since what the cases create is compared elsewhere."""
        if len(answer.get("Topics") or []) > 3 and "Brokers" in answer:
            answer = {**answer, "Topics": [t for t in answer["Topics"] if (t["Name"] or "").removeprefix(f"{self.run}-") in PREPARED]}
        return answer

    def hide(self, value, field=""):
        """The answer with everything that may differ between two brokers replaced by what it stands for."""
        if isinstance(value, dict):
            out = {k: self.hide(v, k) for k, v in value.items()}
            return out
        if isinstance(value, list):
            out = [self.hide(v, field) for v in value]
            if field == "Partitions" and all(isinstance(v, dict) and not v.keys() & {"HighWatermark", "LeaderId"} for v in out):
                out.sort(key=lambda v: v.get("PartitionIndex", 0))    # of ListOffsets and DeleteRecords: hash maps, too
            if field == "Members" and all(isinstance(v, dict) and v.keys() & {"Metadata", "MemberMetadata"} for v in out):
                out.sort(key=lambda v: v["MemberId"])
            if field in _UNORDERED and all(isinstance(v, dict) and not any("HighWatermark" in p for p in v.get("Partitions") or []) for v in out):
                out.sort(key=lambda v: (str(v.get("Name")), str(v.get("TopicId")), str(v.get("GroupId")), v.get("Index", 0)))
            return out
        if isinstance(value, uuid.UUID):                        # topic ids are drawn at random
            return self.hide(self.ids.get(value, "some id"))
        if field in ("NodeId", "BrokerId", "ControllerId", "LeaderId", "ReplicaNodes", "IsrNodes", "PreferredReadReplica"):
            return "this node" if value == self.node else value
        if field == "ResourceName" and value == str(self.node):
            return "this node"
        if field == "Host":                                     # where each broker listens
            return "its host" if value == self.host else value
        if field == "Port":
            return "its port" if value == self.port else value
        if field == "ClusterId":
            return "an id" if value else value
        if field == "LogDir":
            return "the second" if value.endswith("-second") else "the first"
        if field in ("TotalBytes", "UsableBytes"):
            return "bytes" if value > 0 else value
        if field == "ProducerId":                               # given out by each broker, like session ids
            return "an id" if value >= 0 else value
        if field == "SessionId":
            return "an id" if value > 0 else value
        if field == "LogAppendTimeMs":
            return "a time" if value > 0 else value
        if field == "ThrottleTimeMs":
            return 0
        if field == "FinalizedFeaturesEpoch":
            return "an epoch" if value >= 0 else value
        if isinstance(value, (bytes, bytearray)):
            return bytes(value).hex()
        if isinstance(value, str) and value in self.aliases:    # member ids have a random part
            return self.aliases[value]
        if isinstance(value, str):                              # the allowed range of timestamps moves with the clock
            value = value.replace(self.run, "RUN") if self.run else value
            return re.sub(r"within \[-?\d+, \d+\]", "within [LOW, HIGH]", re.sub(r"(RUN-\w+-v)\d+", r"\1N", value))
        return value
