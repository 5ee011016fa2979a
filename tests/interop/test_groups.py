"""Consumer groups of real clients: sharing, going on where one was, brokers that die meanwhile."""
import threading
import time
import unittest

from confluent_kafka import Consumer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.structs import OffsetAndMetadata
from support import InteropTest, OwnBrokerTest, kcat, wait_until


def fill(address, topic, count, partitions=1, start=0):
    producer = KafkaProducer(bootstrap_servers=address)
    for i in range(start, start + count):
        producer.send(topic, value=b"%06d" % i, partition=i % partitions)
    producer.flush(60)
    producer.close()


class Reader(threading.Thread):
    """A kafka-python consumer that polls in its own thread, until it is told to stop."""

    def __init__(self, address, topic, group, **config):
        super().__init__(daemon=True)
        self.consumer = KafkaConsumer(topic, bootstrap_servers=address, group_id=group, auto_offset_reset="earliest",
                                      **{"session_timeout_ms": 6000, "heartbeat_interval_ms": 200, "auto_commit_interval_ms": 200, **config})
        self.got, self.parts, self.over = [], set(), threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            for records in self.consumer.poll(timeout_ms=100).values():
                self.got += [r.value for r in records]
            self.parts = {p.partition for p in self.consumer.assignment()}
        self.consumer.close()

    def stop(self):
        self.over.set()
        self.join(30)


class Groups(InteropTest):
    def reader(self, topic, group, **config):
        reader = Reader(self.address, topic, group, **config)
        self.addCleanup(reader.stop)
        return reader

    def test_two_consumers_share_a_topic_and_one_takes_over(self):
        topic, group = self.topic(4), self.name("group")
        fill(self.address, topic, 400, 4)
        a = self.reader(topic, group)
        wait_until(lambda: len(a.parts) == 4, 20, "the first one to have all partitions")
        b = self.reader(topic, group)
        wait_until(lambda: len(a.parts) == 2 and len(b.parts) == 2 and not a.parts & b.parts, 20, "two partitions each")
        fill(self.address, topic, 400, 4, 400)
        wait_until(lambda: len(set(a.got + b.got)) == 800, 20, "all records")
        self.assertTrue(b.got)
        b.stop()
        wait_until(lambda: len(a.parts) == 4, 20, "the first one to have all again")
        fill(self.address, topic, 400, 4, 800)
        wait_until(lambda: len(set(a.got + b.got)) == 1200, 20, "the rest")
        self.assertEqual(len(a.got + b.got), 1200, "who leaves in order has committed what he read")

    def test_a_group_goes_on_where_it_was(self):
        topic, group = self.topic(), self.name("group")
        fill(self.address, topic, 100)
        first = self.reader(topic, group, max_poll_records=10)
        wait_until(lambda: len(first.got) >= 100, 20, "a hundred records")
        first.stop()
        fill(self.address, topic, 50, start=100)
        second = self.reader(topic, group)
        wait_until(lambda: len(second.got) >= 50, 20, "what came meanwhile")
        time.sleep(0.3)
        self.assertEqual(second.got, [b"%06d" % i for i in range(100, 150)])

    def test_offsets_are_committed_by_hand_with_metadata(self):
        topic, group = self.topic(), self.name("group")
        consumer = KafkaConsumer(bootstrap_servers=self.address, group_id=group, enable_auto_commit=False)
        self.addCleanup(consumer.close)
        where = TopicPartition(topic, 0)
        consumer.assign([where])
        self.assertIsNone(consumer.committed(where))
        consumer.commit({where: OffsetAndMetadata(17, "seventeen")})
        self.assertEqual(consumer.committed(where, metadata=True), OffsetAndMetadata(17, "seventeen"))

    def test_administrators_see_groups_and_delete_them(self):
        topic, group = self.topic(), self.name("group")
        reader = self.reader(topic, group)
        wait_until(lambda: reader.parts, 20, "an assignment")
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        self.addCleanup(admin.close)
        self.assertIn((group, "consumer"), admin.list_consumer_groups())
        found = admin.describe_consumer_groups([group])[0]
        self.assertEqual((found.state, found.protocol, len(found.members)), ("Stable", "range", 1))
        self.assertEqual(found.members[0].client_host, "/127.0.0.1")
        self.assertEqual(found.members[0].member_metadata.subscription, [topic])
        reader.stop()
        wait_until(lambda: admin.describe_consumer_groups([group])[0].state == "Empty", 20, "the group to be empty")
        self.assertEqual([error.errno for _, error in admin.delete_consumer_groups([group])], [0])
        self.assertNotIn((group, "consumer"), admin.list_consumer_groups())

    def librdkafka(self, topic, group, **config):
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": group, "auto.offset.reset": "earliest", "session.timeout.ms": 6000,
                             "heartbeat.interval.ms": 200, "log_level": 0, **config})
        consumer.subscribe([topic])
        self.addCleanup(consumer.close)
        return consumer

    def poll_until(self, consumers, done, seconds=30):
        got, deadline = [], time.monotonic() + seconds
        while not done(got) and time.monotonic() < deadline:
            for consumer in consumers:
                message = consumer.poll(0.05)
                if message is not None and not message.error():
                    got.append(message.value())
        self.assertTrue(done(got), f"{len(got)} records; {[len(c.assignment()) for c in consumers]} partitions")
        return got

    def test_librdkafka_shares_by_incremental_cooperation(self):
        topic, group = self.topic(4), self.name("group")
        fill(self.address, topic, 100, 4)
        strategy = {"partition.assignment.strategy": "cooperative-sticky"}
        a = self.librdkafka(topic, group, **strategy)
        self.poll_until([a], lambda got: len(got) == 100 and len(a.assignment()) == 4)
        b = self.librdkafka(topic, group, **strategy)
        self.poll_until([a, b], lambda got: len(a.assignment()) == 2 and len(b.assignment()) == 2)
        fill(self.address, topic, 100, 4, 100)
        got = self.poll_until([a, b], lambda got: len(set(got)) == 100)
        self.assertEqual(len(got), 100)

    def test_a_static_member_comes_back_without_a_rebalance(self):
        topic, group = self.topic(2), self.name("group")
        fill(self.address, topic, 10, 2)
        a = self.librdkafka(topic, group, **{"group.instance.id": "one"})
        b = self.librdkafka(topic, group, **{"group.instance.id": "two"})
        self.poll_until([a, b], lambda got: len(a.assignment()) == 1 and len(b.assignment()) == 1 and len(got) >= 10)
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        self.addCleanup(admin.close)
        before = {m.member_id for m in admin.describe_consumer_groups([group])[0].members}
        b.close()
        again = self.librdkafka(topic, group, **{"group.instance.id": "two"})
        self.poll_until([a, again], lambda got: len(again.assignment()) == 1)
        found = admin.describe_consumer_groups([group])[0]
        self.assertEqual((found.state, len(found.members)), ("Stable", 2))
        self.assertEqual(len(before & {m.member_id for m in found.members}), 1, "the other one is who it was")

    def test_kcat_reads_as_a_group(self):
        topic, group = self.topic(), self.name("group")
        fill(self.address, topic, 5)
        first = kcat(self.address, "-G", group, "-q", "-c", "5", "-o", "beginning", "-X", "auto.offset.reset=earliest", topic)
        self.assertEqual(first.split(), [f"{i:06d}" for i in range(5)])


class GroupsOfABrokerThatDies(OwnBrokerTest):
    def test_kill_9_loses_no_commit_and_no_group(self):
        b = self.broker().start()
        fill(b.address, "killed", 3000)
        consumer = KafkaConsumer("killed", bootstrap_servers=b.address, group_id="g", auto_offset_reset="earliest", enable_auto_commit=False,
                                 max_poll_records=50, heartbeat_interval_ms=200, reconnect_backoff_max_ms=500, retry_backoff_ms=50)
        self.addCleanup(consumer.close)
        committed, seen, kills, deadline = 0, set(), 0, time.monotonic() + 120
        while len(seen) < 3000:
            self.assertLess(time.monotonic(), deadline, f"{len(seen)} of 3000 records were read")
            for records in consumer.poll(timeout_ms=200).values():
                for r in records:
                    seen.add(r.offset)
                try:
                    consumer.commit()
                    committed = records[-1].offset + 1
                except Exception:           # the broker has just died: nothing is promised
                    pass
            if kills < 2 and len(seen) >= (kills + 1) * 1000:
                b.kill()
                b.start()
                kills += 1
                probe = KafkaConsumer(bootstrap_servers=b.address, group_id="g", enable_auto_commit=False)
                where = TopicPartition("killed", 0)
                probe.assign([where])
                there = wait_until(lambda: probe.committed(where), 30, "the committed offset")
                self.assertGreaterEqual(there, committed)
                probe.close()
        self.assertEqual(kills, 2)
        self.assertEqual(seen, set(range(3000)))
        self.assertEqual(b.stop(), 0)


if __name__ == "__main__":
    unittest.main()
