"""The requests of the comparison about settings: DescribeConfigs, IncrementalAlterConfigs, AlterConfigs, ListConfigResources;
and DescribeCluster."""
import time

import rawclient

TOPIC, BROKER, LOGGER, METRICS, GROUP = 2, 4, 8, 16, 32
SET, DELETE, APPEND, SUBTRACT = range(4)
# Of the broker: those that both sides of the comparison have at their defaults, or that say who they are.
BROKER_KEYS = ["log.retention.ms", "log.retention.hours", "node.id", "process.roles", "message.max.bytes", "log.cleanup.policy", "num.io.threads",
               "ssl.keystore.password", "log.flush.interval.ms", "log.cleaner.min.cleanable.ratio", "offsets.topic.segment.bytes",
               "group.consumer.migration.policy", "principal.builder.class", "delete.topic.enable"]


def own_configs(s, topic):
    """The topic's own settings as the broker tells them; waits for nothing."""
    answer = s.call("DescribeConfigs", 4, Resources=[{"ResourceType": TOPIC, "ResourceName": topic, "ConfigurationKeys": None}])
    return {c["Name"]: c["Value"] for c in answer["Results"][0]["Configs"] if c["ConfigSource"] == 1}


def describe_configs(s, v):
    topic = s.make_topic(f"described-v{v}", configs=[("retention.ms", " 60000 "), ("cleanup.policy", "compact, delete"), ("preallocate", "TRUE")])
    rawclient.wait_until(lambda: len(own_configs(s, topic)) == 3, 10, f"the settings of {topic} ({s.name})")

    def ask(label, *resources, **more):
        s.ask(f"DescribeConfigs: {label}", "DescribeConfigs", v, Resources=[
            {"ResourceType": kind, "ResourceName": name, "ConfigurationKeys": keys} for kind, name, keys in resources], **more)

    me = str(s.node)
    ask("a topic", (TOPIC, topic, None))
    ask("a topic that says nothing itself", (TOPIC, s.topic_name("known"), None))
    ask("two keys", (TOPIC, topic, ["retention.ms", "segment.bytes", "no.such"]))
    ask("no keys", (TOPIC, topic, []))
    if v >= 1:
        ask("a topic, synonyms", (TOPIC, topic, None), IncludeSynonyms=True)
        ask("the broker, synonyms", (BROKER, me, BROKER_KEYS), IncludeSynonyms=True)
    ask("a topic twice", (TOPIC, topic, ["retention.ms"]), (TOPIC, topic, ["segment.ms"]))
    ask("unknown topic", (TOPIC, s.topic_name("nobody"), None))
    ask("bad topic name", (TOPIC, "bad name", None))
    ask("no topic name", (TOPIC, "", None))
    ask("the broker", (BROKER, me, BROKER_KEYS))
    ask("all brokers", (BROKER, "", ["log.retention.ms"]))
    ask("another broker", (BROKER, "77", None))
    ask("no broker", (BROKER, "x", None))
    ask("type 3", (3, "x", None))
    ask("type 0", (0, "x", None))
    ask("nothing")
    if v == 4:
        keys = s.call("DescribeConfigs", 4, Resources=[{"ResourceType": BROKER, "ResourceName": me, "ConfigurationKeys": None}])["Results"][0]["Configs"]
        s.record("DescribeConfigs: what a broker's keys are", v, sorted([k["Name"], k["ConfigType"], k["IsSensitive"]] for k in keys))


def altering(s, v, api, send):
    """What both APIs have in common. send(label, *(type, name, [(key, operation, value)]), **more)"""
    topic = s.make_topic(f"{api}-v{v}", configs=[("retention.ms", "60000")])
    me = str(s.node)

    def after(label):
        # Kafka's broker hears of a change a moment after the client does: what it says twice is what it knows.
        seen = [own_configs(s, topic)]

        def settled():
            time.sleep(0.15)
            seen.append(own_configs(s, topic))
            return seen[-1] == seen[-2]
        rawclient.wait_until(settled, 10, f"the settings of {topic} to stay as they are ({s.name})")
        s.record(f"{api}: the settings after {label}", v, seen[-1])

    def one(label, *changes, **more):
        send(label, (TOPIC, topic, list(changes)), **more)
        after(label)

    one("one", ("segment.bytes", SET, "2000000"))
    one("a bad value", ("segment.bytes", SET, "3"))
    one("no number", ("retention.ms", SET, "soon"))
    one("an unknown key", ("no.such", SET, "3"))
    one("null", ("segment.bytes", SET, None))
    one("a key twice", ("retention.ms", SET, "5"), ("retention.ms", SET, "6"))
    one("nothing")
    one("validate only", ("retention.ms", SET, "77"), ValidateOnly=True)
    one("validate only, bad", ("retention.ms", SET, "x"), ValidateOnly=True)
    one("one good, one bad", ("retention.ms", SET, "78"), ("segment.bytes", SET, "1"))
    one("lags that contradict each other", ("min.compaction.lag.ms", SET, "5"), ("max.compaction.lag.ms", SET, "2"))
    one("tiered", ("remote.storage.enable", SET, "true"))
    send("unknown topic", (TOPIC, s.topic_name("nobody"), [("retention.ms", SET, "5")]))
    send("bad topic name", (TOPIC, "bad name", [("retention.ms", SET, "5")]))
    send("no topic name", (TOPIC, "", [("retention.ms", SET, "5")]))
    send("a topic and an unknown one", (TOPIC, topic, [("retention.ms", SET, "9")]), (TOPIC, s.topic_name("nobody"), [("retention.ms", SET, "5")]))
    send("type 3", (3, topic, [("retention.ms", SET, "5")]))
    send("broker, read-only", (BROKER, me, [("node.id", SET, "5")]))
    send("another broker", (BROKER, "77", [("log.retention.ms", SET, "5")]))
    send("no broker", (BROKER, "x", [("log.retention.ms", SET, "5")]))
    send("all brokers, read-only", (BROKER, "", [("node.id", SET, "5")]))
    send("no resource")
    return topic, one, after


def incremental_alter_configs(s, v):
    def send(label, *resources, **more):
        s.ask(f"IncrementalAlterConfigs: {label}", "IncrementalAlterConfigs", v, Resources=[
            {"ResourceType": kind, "ResourceName": name, "Configs": [{"Name": k, "ConfigOperation": op, "Value": value} for k, op, value in changes]}
            for kind, name, changes in resources], **more)

    topic, one, after = altering(s, v, "IncrementalAlterConfigs", send)
    one("delete", ("segment.bytes", DELETE, ""))
    one("delete, null", ("retention.ms", DELETE, None))
    one("delete what is not there", ("retention.ms", DELETE, None))
    one("delete an unknown key", ("no.such", DELETE, None))
    one("append", ("cleanup.policy", APPEND, "compact"))
    one("append again", ("cleanup.policy", APPEND, "compact"))
    one("append two", ("cleanup.policy", APPEND, "delete,compact"))
    one("subtract", ("cleanup.policy", SUBTRACT, "delete"))
    one("subtract what is not there", ("cleanup.policy", SUBTRACT, "delete"))
    one("subtract the last", ("cleanup.policy", SUBTRACT, "compact"))
    one("append null", ("cleanup.policy", APPEND, None))
    one("append to a number", ("retention.ms", APPEND, "5"))
    one("subtract from a number", ("retention.ms", SUBTRACT, "5"))
    one("append a bad word", ("cleanup.policy", APPEND, "burn"))
    one("append a replica", ("leader.replication.throttled.replicas", APPEND, "0:1"))
    one("append another", ("leader.replication.throttled.replicas", APPEND, "1:1"))
    one("operation 9", ("retention.ms", 9, "5"))
    one("set and delete", ("retention.ms", SET, "5"), ("retention.ms", DELETE, None))
    send("a topic twice", (TOPIC, topic, [("retention.ms", SET, "5")]), (TOPIC, topic, [("segment.ms", SET, "5")]))
    after("a topic twice")


def alter_configs(s, v):
    def send(label, *resources, **more):
        s.ask(f"AlterConfigs: {label}", "AlterConfigs", v, Resources=[
            {"ResourceType": kind, "ResourceName": name, "Configs": [{"Name": k, "Value": value} for k, _, value in changes]}
            for kind, name, changes in resources], **more)

    altering(s, v, "AlterConfigs", send)


def list_config_resources(s, v):
    def ask(label, *types):
        answer = s.ask(f"ListConfigResources: {label}", "ListConfigResources", v, **({"ResourceTypes": list(types)} if v else {}))
        # The topics are those of all cases before; that they are told is looked at below.
        recorded = s.answers[f"ListConfigResources: {label}", v]
        recorded["ConfigResources"] = sorted(([r["ResourceType"] if v else 16, "this node" if r["ResourceName"] == str(s.node) else r["ResourceName"]]
                                              for r in answer["ConfigResources"] if v == 0 or r["ResourceType"] != TOPIC), key=str)
        return answer

    topic = s.make_topic(f"listed-v{v}", configs=[("retention.ms", "60000")])
    rawclient.wait_until(lambda: own_configs(s, topic), 10, f"the settings of {topic} ({s.name})")
    everything = ask("all")
    if v:
        names = [r["ResourceName"] for r in everything["ConfigResources"] if r["ResourceType"] == TOPIC]
        s.record("ListConfigResources: topics with and without settings are among them", v, [topic in names, s.topic_name("known") in names])
        ask("brokers", BROKER)
        ask("topics", TOPIC)
        ask("type 3", 3)
        ask("topics twice", TOPIC, TOPIC)


def describe_cluster(s, v):
    def ask(label, **more):
        s.ask(f"DescribeCluster: {label}", "DescribeCluster", v, **more)

    ask("the brokers")
    ask("authorized operations", IncludeClusterAuthorizedOperations=True)
    if v >= 1:
        ask("the controllers, asked of a broker", EndpointType=2)
        ask("endpoint type 3", EndpointType=3)
    if v >= 2:
        ask("fenced brokers too", IncludeFencedBrokers=True)



def offset_for_leader_epoch(s, v):
    def ask(label, topic, partition=0, current=-1, epoch=0):
        s.ask(f"OffsetForLeaderEpoch: {label}", "OffsetForLeaderEpoch", v, ReplicaId=-1, Topics=[
            {"Topic": topic, "Partitions": [{"Partition": partition, "CurrentLeaderEpoch": current, "LeaderEpoch": epoch}]}])

    full = s.topic_name("offsets")
    ask("the present one", full)
    ask("the present one, of an empty partition", s.topic_name("known"))
    ask("one that is not there yet", full, epoch=5)
    ask("-1", full, epoch=-1)
    ask("known to be the present one", full, current=0)
    ask("a later one is said to be the present one", full, current=5)
    ask("unknown partition", full, partition=9)
    ask("unknown topic", s.topic_name("nobody"))
    ask("bad topic name", "bad name")


ALL = {"OffsetForLeaderEpoch": offset_for_leader_epoch, "DescribeCluster": describe_cluster, "DescribeConfigs": describe_configs, "IncrementalAlterConfigs": incremental_alter_configs, "AlterConfigs": alter_configs,
       "ListConfigResources": list_config_resources}
