"""The requests of the comparison that ask about the cluster itself, and change it: DescribeQuorum, UpdateFeatures, UnregisterBroker."""

UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE = 1, 2, 3


def describe_quorum(s, v):
    def ask(topic, partition=0):
        return s.call("DescribeQuorum", v, Topics=[{"TopicName": topic, "Partitions": [{"PartitionIndex": partition}]}])

    # Epochs and offsets are each broker's own.
    answer = ask("__cluster_metadata")
    part = answer["Topics"][0]["Partitions"][0]
    voters = [r["ReplicaId"] == s.node for r in part["CurrentVoters"]]
    s.record("DescribeQuorum: a quorum of one", v, [
        answer["ErrorCode"], part["ErrorCode"], part["LeaderId"] == s.node, part["LeaderEpoch"] > 0, part["HighWatermark"] > 0, voters, len(part["Observers"]),
        [r["LogEndOffset"] > 0 for r in part["CurrentVoters"]], [n["NodeId"] == s.node for n in answer.get("Nodes") or []]])
    s.ask("DescribeQuorum: another topic", "DescribeQuorum", v, Topics=[{"TopicName": s.topic_name("known"), "Partitions": [{"PartitionIndex": 0}]}])
    s.ask("DescribeQuorum: another partition", "DescribeQuorum", v, Topics=[{"TopicName": "__cluster_metadata", "Partitions": [{"PartitionIndex": 1}]}])


def update_features(s, v):
    def ask(label, *updates, validate_only=True):
        wanted = []
        for name, level, kind in updates:
            wanted.append({"Feature": name, "MaxVersionLevel": level, **({"UpgradeType": kind} if v else {"AllowDowngrade": kind != UPGRADE})})
        s.ask(f"UpdateFeatures: {label}", "UpdateFeatures", v, timeoutMs=10_000, FeatureUpdates=wanted, **({"ValidateOnly": validate_only} if v else {}))

    ask("as it is", ("group.version", 1, UPGRADE), validate_only=False)
    ask("unknown feature", ("nonsense", 1, UPGRADE))
    ask("a level that there is not", ("group.version", 9, UPGRADE))
    ask("down by an upgrade", ("transaction.version", 1, UPGRADE))
    ask("metadata.version down, safely", ("metadata.version", 29, SAFE_DOWNGRADE))
    ask("metadata.version up to where nobody is", ("metadata.version", 99, UPGRADE))
    if v:
        ask("down", ("transaction.version", 1, SAFE_DOWNGRADE))
        ask("up by a downgrade", ("transaction.version", 2, UNSAFE_DOWNGRADE))
        ask("upgrade type 7", ("transaction.version", 1, 7))
        ask("metadata.version down, unsafely", ("metadata.version", 29, UNSAFE_DOWNGRADE))
    ask("one twice", ("group.version", 1, UPGRADE), ("group.version", 1, UPGRADE))


def unregister_broker(s, v):
    s.ask("UnregisterBroker: nobody", "UnregisterBroker", v, BrokerId=4711)
    s.ask("UnregisterBroker: no number of a broker", "UnregisterBroker", v, BrokerId=-1)


ALL = {"DescribeQuorum": describe_quorum, "UpdateFeatures": update_features, "UnregisterBroker": unregister_broker}
