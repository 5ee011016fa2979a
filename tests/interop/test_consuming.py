"""Consumers without a group: where to start, how far, how fast, in how small steps."""
import threading
import time

from kafka import TopicPartition
from kafka.errors import OffsetOutOfRangeError
from support import InteropTest, kcat_read

START = 1_700_000_000_000


class Positions(InteropTest):
    def filled(self, count=10):
        """A topic with record i at START + 1000 i."""
        topic, producer = self.topic(), self.producer(linger_ms=0)
        for i in range(count):
            producer.send(topic, value=b"%d" % i, timestamp_ms=START + 1000 * i).get(30)
        return topic

    def test_seek(self):
        topic = self.filled()
        consumer, where = self.consumer(consumer_timeout_ms=15_000), TopicPartition(topic, 0)
        consumer.assign([where])
        for offset in (7, 0, 3, 9):
            consumer.seek(where, offset)
            self.assertEqual(next(consumer).offset, offset)
        consumer.seek_to_beginning(where)
        self.assertEqual(next(consumer).offset, 0)
        consumer.seek_to_end(where)
        self.assertEqual(consumer.position(where), 10)

    def test_beginning_and_end_offsets(self):
        topic, consumer = self.filled(), self.consumer()
        where = TopicPartition(topic, 0)
        self.assertEqual(consumer.beginning_offsets([where]), {where: 0})
        self.assertEqual(consumer.end_offsets([where]), {where: 10})
        empty = TopicPartition(self.topic(), 0)
        self.assertEqual((consumer.beginning_offsets([empty]), consumer.end_offsets([empty])), ({empty: 0}, {empty: 0}))

    def test_offsets_for_times(self):
        topic, consumer = self.filled(), self.consumer()
        where = TopicPartition(topic, 0)
        for at, offset, found in ((0, 0, START), (START, 0, START), (START + 1, 1, START + 1000), (START + 5000, 5, START + 5000),
                                  (START + 8999, 9, START + 9000)):
            answer = consumer.offsets_for_times({where: at})[where]
            self.assertEqual((answer.offset, answer.timestamp), (offset, found), at)
        self.assertIsNone(consumer.offsets_for_times({where: START + 9001})[where])

    def test_reset_to_earliest_and_latest(self):
        topic, producer = self.filled(), self.producer()
        earliest = self.consumer(auto_offset_reset="earliest", consumer_timeout_ms=15_000)
        earliest.subscribe([topic])
        self.assertEqual([next(earliest).offset for _ in range(10)], list(range(10)))
        latest, where = self.consumer(auto_offset_reset="latest", consumer_timeout_ms=15_000), TopicPartition(topic, 0)
        latest.assign([where])
        self.assertEqual(latest.position(where), 10)
        producer.send(topic, value=b"new").get(30)
        self.assertEqual(next(latest).value, b"new")

    def test_an_offset_that_is_not_there(self):
        topic, where = self.filled(), None
        for reset, first in (("earliest", 0), ("latest", None)):
            consumer, where = self.consumer(auto_offset_reset=reset, consumer_timeout_ms=3000), TopicPartition(topic, 0)
            consumer.assign([where])
            consumer.seek(where, 1000)
            self.assertEqual(next((r.offset for r in consumer), None), first, reset)
        consumer = self.consumer(auto_offset_reset="none", consumer_timeout_ms=15_000)
        consumer.assign([where])
        consumer.seek(where, 1000)
        with self.assertRaises(OffsetOutOfRangeError):
            next(consumer)

    def test_kcat_offsets(self):
        topic = self.filled()
        for arguments, wanted in ((("-o", "beginning"), range(10)), (("-o", "end"), ()), (("-o", "4"), range(4, 10)), (("-o", "-3"), range(7, 10)),
                                  (("-o", f"s@{START + 2500}"), range(3, 10)), (("-o", f"s@{START + 2000}", "-o", f"e@{START + 6000}"), range(2, 6)),
                                  (("-o", "beginning", "-c", "4"), range(4))):
            seen = kcat_read(self.address, topic, *arguments)
            self.assertEqual([r["offset"] for r in seen], list(wanted), arguments)
            self.assertEqual([int(r["payload"]) for r in seen], list(wanted), arguments)

    def test_kcat_query_by_time(self):
        topic = self.filled()
        for at, offset in ((START + 2500, 3), (START, 0), (-1, 10), (-2, 0)):
            out = self.kcat("-Q", "-t", f"{topic}:0:{at}")
            self.assertRegex(out, rf"offset {offset}\b")


class Flow(InteropTest):
    def test_a_waiting_consumer_wakes_at_once(self):
        topic, producer, rounds = self.topic(), self.producer(linger_ms=0), 10
        consumer, where = self.consumer(fetch_max_wait_ms=20_000, request_timeout_ms=40_000), TopicPartition(topic, 0)
        consumer.assign([where])
        consumer.seek(where, 0)
        started = time.monotonic()
        for i in range(rounds):
            threading.Timer(0.05, lambda i=i: producer.send(topic, value=b"%d" % i)).start()
            records = []
            while not records and time.monotonic() < started + 60:
                records = [r for batch in consumer.poll(timeout_ms=20_000).values() for r in batch]
            self.assertEqual([r.offset for r in records], [i])
        self.assertLess(time.monotonic() - started, 15, "each round waits far less than fetch.max.wait.ms = 20 s")

    def test_fetch_min_bytes_holds_the_answer_back(self):
        topic, producer = self.topic(), self.producer(linger_ms=0)
        producer.send(topic, value=b"small").get(30)
        consumer, where = self.consumer(fetch_min_bytes=50_000, fetch_max_wait_ms=60_000, request_timeout_ms=90_000), TopicPartition(topic, 0)
        consumer.assign([where])
        consumer.seek(where, 0)
        self.assertEqual(consumer.poll(timeout_ms=1500), {}, "nothing before 50,000 bytes are there")
        producer.send(topic, value=b"x" * 60_000).get(30)
        records, deadline = [], time.monotonic() + 30
        while len(records) < 2 and time.monotonic() < deadline:
            records += [r for batch in consumer.poll(timeout_ms=1000).values() for r in batch]
        self.assertEqual([r.offset for r in records], [0, 1])

    def test_small_fetches_read_everything(self):
        topic, producer = self.topic(), self.producer(batch_size=50_000, linger_ms=5)
        values = [b"%06d" % i + b"." * 1000 for i in range(5000)]
        for value in values:
            producer.send(topic, value=value)
        producer.flush(60)
        records = self.read(topic, len(values), max_partition_fetch_bytes=1000, fetch_max_bytes=2000)
        self.assertTrue([r.value for r in records] == values, "other bytes or another order")
        out = self.kcat("-C", "-q", "-e", "-t", topic, "-o", "beginning", "-f", "%o %k%s\n", "-X", "fetch.message.max.bytes=5000")
        self.assertTrue(out == "".join(f"{i} {v.decode()}\n" for i, v in enumerate(values)), "kcat saw something else")

    def test_many_partitions_in_one_consumer(self):
        topic, partitions = self.topic(partitions=20), 20
        producer = self.producer(linger_ms=5)
        for i in range(2000):
            producer.send(topic, value=b"%d" % i, partition=i % partitions)
        producer.flush(30)
        consumer = self.consumer(auto_offset_reset="earliest", consumer_timeout_ms=15_000)
        consumer.assign([TopicPartition(topic, p) for p in range(partitions)])
        seen = {}
        for _ in range(2000):
            record = next(consumer)
            self.assertEqual(record.offset, len(seen.setdefault(record.partition, [])))
            seen[record.partition].append(int(record.value))
        self.assertEqual(seen, {p: list(range(p, 2000, partitions)) for p in range(partitions)})
