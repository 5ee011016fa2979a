"""What the interop tests share: the base class, kcat, reading with both clients."""
import json
import logging
import os
import subprocess
import time
import unittest
import uuid

import broker
from broker import wait_until
from confluent_kafka import Producer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
logging.getLogger("kafka").setLevel(logging.CRITICAL)


class InteropTest(unittest.TestCase):
    """A test against the shared broker; topics get names of their own, so order and repetition do not matter."""
    longMessage = True

    @property
    def address(self):
        return broker.Shared.address()

    def name(self, hint="t"):
        return f"{hint}-{uuid.uuid4().hex[:12]}"

    def topic(self, partitions=1, hint="t"):
        """A new topic that can be written to."""
        name = self.name(hint)
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        try:
            admin.create_topics([NewTopic(name, partitions, 1)])
        finally:
            admin.close()
        self.wait_for_topic(name, partitions)
        return name

    def wait_for_topic(self, name, partitions=1):
        def there():
            found = [t for t in kcat_metadata(self.address, name) if t["topic"] == name]
            return found and len(found[0]["partitions"]) == partitions and all(p["leader"] >= 0 for p in found[0]["partitions"])
        wait_until(there, 20, f"topic {name} with {partitions} partitions")

        # Kafka names the leader a moment before it opens the log; kafka-python's producer, which retries nothing, would fail in between.
        every = [word for p in range(partitions) for word in ("-t", f"{name}:{p}:-1")]
        wait_until(lambda: kcat(self.address, "-Q", *every, check=False).returncode == 0, 20, f"topic {name} to open")

    def producer(self, **config):
        producer = KafkaProducer(bootstrap_servers=self.address, **config)
        self.addCleanup(producer.close, 5)
        return producer

    def consumer(self, **config):
        consumer = KafkaConsumer(**{"bootstrap_servers": self.address, "group_id": None, **config})
        self.addCleanup(consumer.close)
        return consumer

    def read(self, topic, count, partition=0, start=0, **config):
        """`count` records by kafka-python, from `start`; also that no more come where more would be wrong is up to the test."""
        return read_records(self.address, topic, count, partition, start, **config)

    def kcat(self, *arguments, **options):
        return kcat(self.address, *arguments, **options)


class OwnBrokerTest(unittest.TestCase):
    """A test that starts, kills or stops brokers of its own: not run when the tests were pointed at a running one."""

    def setUp(self):
        if broker.AGAINST:
            self.skipTest("needs a broker of its own")

    def broker(self, **options):
        started = broker.Broker(**options)
        self.addCleanup(started.remove)
        self.brokers = getattr(self, "brokers", []) + [started]
        return started


def kcat(address, *arguments, stdin=b"", timeout=60, check=True, text=True):
    """Runs kcat; its stdout, or the whole finished process with check=False."""
    command = ["kcat", "-b", address, *arguments]
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    if not check:
        return done
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode() if text else done.stdout


def kcat_metadata(address, topic=None):
    return json.loads(kcat(address, "-L", "-J", *(["-t", topic] if topic else [])))["topics"]


def kcat_read(address, topic, *arguments, partition=0):
    """All records of a partition as dicts, by kcat, to the end of the partition."""
    out = kcat(address, "-C", "-q", "-e", "-t", topic, "-p", str(partition), "-J", *(arguments or ("-o", "beginning")))
    return [json.loads(line) for line in out.splitlines()]


def read_records(address, topic, count, partition=0, start=0, seconds=60, **config):
    consumer = KafkaConsumer(bootstrap_servers=address, group_id=None, **config)
    try:
        where = TopicPartition(topic, partition)
        consumer.assign([where])
        consumer.seek(where, start)
        out, deadline = [], time.monotonic() + seconds
        while len(out) < count:
            for records in consumer.poll(timeout_ms=500).values():
                out += records
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(out)} of {count} records of {topic}-{partition} came in {seconds} s")
        return out
    finally:
        consumer.close()


def confluent_producer(address, **config):
    return Producer({"bootstrap.servers": address, "log_level": 0, **{k.replace("_", "."): v for k, v in config.items()}})


def program_is_kafka():
    """The broker program is tests/compat/kafka-dev, which checks these tests against the original."""
    return os.path.basename(broker.PROGRAM) == "kafka-dev"
