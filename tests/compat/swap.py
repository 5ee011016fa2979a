"""A data directory goes back and forth between Apache Kafka and Moldau, both with the same server.properties: what one has written the
other serves and changes, after a clean stop and after kill -9."""
import os
import signal
import subprocess
import tempfile

import broker as ours
import disk
import kafka
import messages
import rawclient
from checks import Checks


class Moldau:
    """`moldau server` on the configuration that Kafka was formatted with."""

    def __init__(self, server):
        self.properties, self.address = os.path.join(server.folder, "server.properties"), server.address
        self.log = os.path.join(server.folder, "moldau.log")

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([ours.PROGRAM, "server", self.properties], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        rawclient.wait_until(lambda: kafka.ping(self.address) or self.process.poll() is not None, 30, "Moldau to serve")
        if self.process.poll() is not None:
            raise RuntimeError(f"moldau server ended with {self.process.returncode}\n{self.tail()}")
        return self

    def tail(self):
        with open(self.log, errors="replace") as f:
            return f.read()[-3000:]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        if self.process.returncode != 0:
            raise RuntimeError(f"moldau server stopped with {self.process.returncode}\n{self.tail()}")

    def kill(self):
        self.process.kill()
        self.process.wait()


def kill(server):
    server.process.kill()
    server.process.wait()


def call(address, protocol, api, version, **body):
    with rawclient.Connection(address, protocol) as connection:
        return connection.call(api, version, **body)


def settings_of(address, protocol, topic):
    """Those of its own, as text."""
    answer = call(address, protocol, "DescribeConfigs", 4, Resources=[{"ResourceType": 2, "ResourceName": topic, "ConfigurationKeys": None}],
                  IncludeSynonyms=False, IncludeDocumentation=False)
    return {c["Name"]: c["Value"] for c in answer["Results"][0]["Configs"] if c["ConfigSource"] == 1}


def topics_of(address, protocol):
    """{name: (id, partitions)} of what is there, and the cluster's id."""
    answer = call(address, protocol, "Metadata", 12, Topics=None, AllowAutoTopicCreation=False, IncludeTopicAuthorizedOperations=False)
    return {t["Name"]: (t["TopicId"], len(t["Partitions"])) for t in answer["Topics"]}, answer["ClusterId"]


def features_of(address, protocol):
    answer = call(address, protocol, "ApiVersions", 4, ClientSoftwareName="swap", ClientSoftwareVersion="1")
    return {f["Name"]: f["MaxVersionLevel"] for f in answer["FinalizedFeatures"]}


class Story:
    """What the directory must hold, whoever serves it."""

    def __init__(self, address, protocol, checks):
        self.address, self.protocol, self.checks = address, protocol, checks
        self.topics, self.settings, self.records = {}, {}, {}
        self.cluster = self.features = None

    def add(self, topic, partitions, settings):
        disk.create(self.address, self.protocol, topic, partitions, 1 << 20, settings)
        there, cluster = topics_of(self.address, self.protocol)
        self.topics[topic] = there[topic]
        self.settings[topic] = settings_of(self.address, self.protocol, topic)
        self.records[topic] = [[] for _ in range(partitions)]
        self.cluster = self.cluster or cluster

    def drop(self, topic):
        call(self.address, self.protocol, "DeleteTopics", 4, TopicNames=[topic], TimeoutMs=10_000)
        for kept in (self.topics, self.settings, self.records):
            del kept[topic]

    def alter(self, topic, name, value):
        call(self.address, self.protocol, "IncrementalAlterConfigs", 1, ValidateOnly=False, Resources=[
            {"ResourceType": 2, "ResourceName": topic, "Configs": [{"Name": name, "ConfigOperation": 0, "Value": value}]}])
        self.settings[topic][name] = value

    def produce(self, topic, codec, count, idempotent=False):
        for partition, records in enumerate(self.records[topic]):
            lines = [disk.value(codec, len(records) + i) for i in range(count)]
            disk.kcat(self.address, "-P", "-t", topic, "-p", str(partition), "-z", codec, "-X", f"enable.idempotence={str(idempotent).lower()}",
                      stdin="".join(line + "\n" for line in lines).encode())
            records += lines

    def check(self, who):
        there, cluster = topics_of(self.address, self.protocol)
        usual = {name: shape for name, shape in there.items() if not name.startswith("__")}
        self.checks.check(f"{who}: the topics with their ids and partitions, and none else", usual == self.topics, [str(usual), str(self.topics)])
        self.checks.check(f"{who}: the cluster's id", cluster == self.cluster, [cluster])
        features = features_of(self.address, self.protocol)
        self.features = self.features or features
        self.checks.check(f"{who}: the feature levels", features == self.features, [str(features), str(self.features)])
        settings = {topic: settings_of(self.address, self.protocol, topic) for topic in self.topics}
        self.checks.check(f"{who}: the settings of the topics", settings == self.settings, [str(settings), str(self.settings)])
        wrong = []
        for topic, partitions in self.records.items():
            for partition, wanted in enumerate(partitions):
                found = disk.read_back(self.address, topic, partition)
                if found != [(i, None, line) for i, line in enumerate(wanted)]:
                    wrong.append(f"{topic}-{partition}: {len(found)} records of {len(wanted)}")
        self.checks.check(f"{who}: every record at its offset", not wrong, wrong)


def turn(story, who, number):
    """One life: looks at everything, then changes something of everything."""
    story.check(who)
    story.add(f"turn{number}", 1 + number % 3, [("retention.ms", str(3_600_000 + number))])
    story.alter("first", "max.message.bytes", str(1_000_000 + number))
    story.produce(f"turn{number}", disk.CODECS[number % len(disk.CODECS)], 40)
    story.produce("first", disk.CODECS[(number + 1) % len(disk.CODECS)], 30, idempotent=True)
    if number % 2:
        story.drop(f"turn{number - 1}")


def back_and_forth(checks, protocol):
    with tempfile.TemporaryDirectory(prefix="moldau-swap-") as folder:
        theirs = kafka.Server(folder)
        mine = Moldau(theirs)
        story = Story(theirs.address, protocol, checks)
        # (who, how it ends)
        lives = [(theirs, "stop"), (mine, "stop"), (theirs, "kill"), (mine, "kill"), (mine, "kill"), (theirs, "stop"), (mine, "stop")]
        for number, (server, end) in enumerate(lives):
            who = f"life {number}, {'Moldau' if server is mine else 'Apache Kafka'} (ends by {end})"
            with checks.step(who, server.tail):
                server.start()
                if number == 0:
                    story.add("first", 2, [("cleanup.policy", "delete")])
                turn(story, who, number)
                if end == "stop":
                    server.stop()
                elif server is mine:
                    server.kill()
                else:
                    kill(server)


def begun_by_ours(checks, protocol):
    """The other way round: ours formats the empty directory that server.properties names, Kafka takes it over."""
    with tempfile.TemporaryDirectory(prefix="moldau-swap-") as folder:
        address, controller = f"127.0.0.1:{ours.free_port()}", ours.free_port()
        with open(os.path.join(folder, "server.properties"), "w") as f:
            f.write(f"process.roles=broker,controller\nnode.id=1\ncontroller.quorum.bootstrap.servers=127.0.0.1:{controller}\n"
                    f"listeners=PLAINTEXT://{address},CONTROLLER://127.0.0.1:{controller}\ncontroller.listener.names=CONTROLLER\n"
                    f"log.dirs={folder}/data\noffsets.topic.replication.factor=1\ngroup.initial.rebalance.delay.ms=0\n")
        theirs = kafka.Server.__new__(kafka.Server)
        theirs.version, theirs.folder, theirs.log, theirs.address = kafka.VERSION, folder, os.path.join(folder, "kafka.log"), address
        mine = Moldau(theirs)
        story = Story(address, protocol, checks)
        for number, server in enumerate((mine, theirs, mine)):
            who = f"begun by ours, life {number}, {'Moldau' if server is mine else 'Apache Kafka'}"
            with checks.step(who, server.tail):
                server.start()
                if number == 0:
                    story.add("first", 2, [("cleanup.policy", "delete")])
                turn(story, who, number)
                server.stop()


def main(_arguments):
    checks, protocol = Checks(), messages.Protocol(kafka.clients_jar())
    back_and_forth(checks, protocol)
    begun_by_ours(checks, protocol)
    return checks.result()
