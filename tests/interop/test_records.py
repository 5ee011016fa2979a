"""What goes in comes out: keys, values, headers, timestamps, codecs, sizes, with every client written and read."""
import json
import time

from kafka.errors import MessageSizeTooLargeError
from support import CODECS, InteropTest, confluent_producer, kcat_read

# The largest value of a record without key and headers: max.message.bytes, less 61 bytes of batch header, less 11 of the record's.
LARGEST_VALUE = 1_048_588 - 61 - 11


class Records(InteropTest):
    def test_key_value_headers_and_timestamp_from_kafka_python(self):
        topic, producer = self.topic(), self.producer()
        at = 1_600_000_000_123
        sent = producer.send(topic, key=b"k", value=b"v", headers=[("a", b"1"), ("b", b""), ("a", b"2")], timestamp_ms=at).get(30)
        self.assertEqual((sent.partition, sent.offset, sent.timestamp), (0, 0, at))
        [record] = self.read(topic, 1)
        self.assertEqual((record.key, record.value, record.timestamp, record.timestamp_type), (b"k", b"v", at, 0))
        self.assertEqual(record.headers, [("a", b"1"), ("b", b""), ("a", b"2")])
        [seen] = kcat_read(self.address, topic)
        self.assertEqual((seen["key"], seen["payload"], seen["ts"], seen["tstype"], seen["offset"]), ("k", "v", at, "create", 0))
        self.assertEqual(seen["headers"], ["a", "1", "b", "", "a", "2"])

    def test_key_value_and_headers_from_kcat(self):
        topic, before = self.topic(), int(time.time() * 1000) - 1000
        self.kcat("-P", "-t", topic, "-K:", "-H", "trace=abc", "-H", "empty=", stdin="k1:v1\nk2:v2\n")
        records = self.read(topic, 2)
        self.assertEqual([(r.offset, r.key, r.value) for r in records], [(0, b"k1", b"v1"), (1, b"k2", b"v2")])
        for record in records:
            self.assertEqual(record.headers, [("trace", b"abc"), ("empty", b"")])
            self.assertTrue(before <= record.timestamp <= time.time() * 1000 + 1000, record.timestamp)

    def test_null_and_empty_keys_and_values(self):
        topic, producer = self.topic(), self.producer()
        wanted = [(None, b"v"), (b"", b"v"), (b"k", None), (b"k", b""), (None, b""), (b"", b"")]
        for key, value in wanted:
            producer.send(topic, key=key, value=value)
        producer.flush(30)
        self.assertEqual([(r.key, r.value) for r in self.read(topic, len(wanted))], wanted)
        out = self.kcat("-C", "-q", "-e", "-t", topic, "-o", "beginning", "-f", "%K %S|")
        self.assertEqual(out, "-1 1|0 1|1 -1|1 0|-1 0|0 0|")

    def test_tombstones_from_kcat(self):
        topic = self.topic()
        self.kcat("-P", "-t", topic, "-K:", "-Z", stdin="gone:\nthere:x\n")
        self.assertEqual([(r.key, r.value) for r in self.read(topic, 2)], [(b"gone", None), (b"there", b"x")])

    def test_every_byte_survives(self):
        topic, producer = self.topic(), self.producer()
        value = bytes(range(256)) * 40
        producer.send(topic, key=value[:300], value=value, headers=[("bytes", value[:256])]).get(30)
        [record] = self.read(topic, 1)
        self.assertEqual((record.key, record.value, record.headers), (value[:300], value, [("bytes", value[:256])]))
        self.assertEqual(self.kcat("-C", "-q", "-e", "-t", topic, "-o", "beginning", "-D", "", text=False), value)

    def test_every_codec_from_every_client_read_by_every_client(self):
        for codec in CODECS:
            for client in ("kcat", "kafka-python", "confluent"):
                with self.subTest(codec=codec, client=client):
                    topic = self.topic(hint=f"{codec}-{client}")
                    values = [f"{client} {codec} {i} " + "compressible " * (i % 20) for i in range(300)]
                    self.produce(client, codec, topic, values)
                    by_python = self.read(topic, len(values))
                    self.assertEqual([(r.offset, r.key, r.value.decode()) for r in by_python], [(i, b"k", v) for i, v in enumerate(values)])
                    by_kcat = kcat_read(self.address, topic)
                    self.assertEqual([(r["offset"], r["key"], r["payload"]) for r in by_kcat], [(i, "k", v) for i, v in enumerate(values)])

    def produce(self, client, codec, topic, values):
        if client == "kcat":
            self.kcat("-P", "-t", topic, "-K:", "-z", codec, "-X", "linger.ms=50", stdin="".join(f"k:{v}\n" for v in values))
        elif client == "kafka-python":
            producer = self.producer(compression_type=None if codec == "none" else codec, linger_ms=50)
            for value in values:
                producer.send(topic, key=b"k", value=value.encode())
            producer.flush(30)
        else:
            producer = confluent_producer(self.address, compression_type=codec, linger_ms=50)
            for value in values:
                producer.produce(topic, key="k", value=value)
            self.assertEqual(producer.flush(30), 0)

    def test_a_record_of_exactly_the_limit(self):
        topic = self.topic()
        producer = self.producer(max_request_size=4 << 20, buffer_memory=64 << 20)
        values = [bytes([i]) * LARGEST_VALUE for i in range(3)]
        for value in values:
            producer.send(topic, value=value).get(60)
        records = self.read(topic, 3)
        self.assertEqual([r.offset for r in records], [0, 1, 2])
        self.assertTrue([r.value for r in records] == values, "the bytes differ")
        sizes = self.kcat("-C", "-q", "-e", "-t", topic, "-o", "beginning", "-f", "%o:%S\n")
        self.assertEqual(sizes, "".join(f"{i}:{LARGEST_VALUE}\n" for i in range(3)))

    def test_one_byte_over_the_limit_is_refused_and_nothing_else_is(self):
        topic = self.topic()
        producer = self.producer(max_request_size=4 << 20, buffer_memory=64 << 20, retries=0)
        with self.assertRaises(MessageSizeTooLargeError):
            producer.send(topic, value=b"x" * (LARGEST_VALUE + 1)).get(60)
        self.assertEqual(producer.send(topic, value=b"small").get(30).offset, 0)
        self.assertEqual([r.value for r in self.read(topic, 1)], [b"small"])

    def test_over_the_limit_from_librdkafka(self):
        topic, outcome = self.topic(), []
        producer = confluent_producer(self.address, message_max_bytes=4 << 20)
        producer.produce(topic, value=b"x" * (LARGEST_VALUE + 1), on_delivery=lambda error, _: outcome.append(error))
        self.assertEqual(producer.flush(60), 0)
        self.assertEqual(outcome[0].name(), "MSG_SIZE_TOO_LARGE")

    def test_100000_small_records_in_order_with_exact_offsets(self):
        topic, count = self.topic(), 100_000
        self.kcat("-P", "-t", topic, stdin="".join(f"record {i}\n" for i in range(count)), timeout=120)
        out = self.kcat("-C", "-q", "-e", "-t", topic, "-o", "beginning", "-f", "%o %s\n", timeout=120)
        self.assertTrue(out == "".join(f"{i} record {i}\n" for i in range(count)), "kcat saw other offsets or values")
        records = self.read(topic, count, seconds=120)
        self.assertTrue(all(r.offset == i and r.value == b"record %d" % i for i, r in enumerate(records)), "kafka-python saw others")
        self.assertEqual(len(records), count)

    def test_acks_0_1_all_from_both_clients(self):
        for acks in (0, 1, "all"):
            with self.subTest(acks=acks):
                topic, producer = self.topic(), self.producer(acks=acks)
                for i in range(20):
                    producer.send(topic, value=b"python %d" % i)
                producer.flush(30)
                self.assertEqual([r.value for r in self.read(topic, 20)], [b"python %d" % i for i in range(20)])
                self.kcat("-P", "-t", topic, "-X", f"acks={acks}", stdin="".join(f"kcat {i}\n" for i in range(20)))
                self.assertEqual([r.value for r in self.read(topic, 20, start=20)], [b"kcat %d" % i for i in range(20)])


class Scenarios(InteropTest):
    """What people do first, word for word."""

    def test_json_producer_with_acks_0(self):
        topic = self.topic(hint="exam-topic")
        producer = self.producer(acks=0, api_version=(2, 5, 0), retries=3, key_serializer=str.encode,
                                 value_serializer=lambda x: json.dumps(x).encode("utf-8"))
        for i in range(50):
            producer.send(topic, key="key", value={"number": i, "text": "한국어 메시지"})
        producer.flush(30)
        consumer = self.consumer(api_version=(2, 5, 0), group_id="my-group", auto_offset_reset="earliest", enable_auto_commit=True,
                                 consumer_timeout_ms=15_000,
                                 value_deserializer=lambda x: json.loads(x.decode("utf-8")))
        consumer.subscribe([topic])
        seen = [next(consumer) for _ in range(50)]
        self.assertEqual([(r.key, r.value) for r in seen], [(b"key", {"number": i, "text": "한국어 메시지"}) for i in range(50)])

    def test_alice_pays_bob(self):
        topic, at = self.topic(hint="payments"), 1_593_181_860_000
        producer = self.producer(key_serializer=str.encode, value_serializer=str.encode)
        producer.send(topic, key="Alice", value="Made a payment of $200 to Bob", timestamp_ms=at, headers=[("source", b"bank")]).get(30)
        [event] = kcat_read(self.address, topic)
        self.assertEqual((event["key"], event["payload"], event["ts"], event["headers"]),
                         ("Alice", "Made a payment of $200 to Bob", at, ["source", "bank"]))

    def test_korean_comes_back_byte_for_byte(self):
        topic = self.topic(hint="test")
        lines = ["안녕하세요", "카프카를 공부합니다", "가나다라마바사 😀"]
        self.kcat("-P", "-t", topic, stdin="".join(line + "\n" for line in lines))
        self.assertEqual([r.value.decode("utf-8") for r in self.read(topic, 3)], lines)
        self.producer().send(topic, value=lines[1].encode("utf-8")).get(30)
        self.assertEqual(self.kcat("-C", "-q", "-e", "-t", topic, "-o", "3"), lines[1] + "\n")

    def test_same_key_same_partition_in_order(self):
        for client in ("kafka-python", "confluent", "kcat"):
            with self.subTest(client=client):
                topic, keys = self.topic(partitions=4), [f"key-{i}" for i in range(20)]
                pairs = [(key, f"{key} {n}") for n in range(50) for key in keys]
                if client == "kafka-python":
                    producer = self.producer(key_serializer=str.encode, value_serializer=str.encode)
                    for key, value in pairs:
                        producer.send(topic, key=key, value=value)
                    producer.flush(30)
                elif client == "confluent":
                    producer = confluent_producer(self.address)
                    for key, value in pairs:
                        producer.produce(topic, key=key, value=value)
                    self.assertEqual(producer.flush(30), 0)
                else:
                    self.kcat("-P", "-t", topic, "-K:", stdin="".join(f"{k}:{v}\n" for k, v in pairs))
                self.check_partitions(topic, keys)

    def check_partitions(self, topic, keys):
        home, values = {}, {}
        for partition in range(4):
            for i, record in enumerate(kcat_read(self.address, topic, partition=partition)):
                self.assertEqual(record["offset"], i)
                self.assertEqual(home.setdefault(record["key"], partition), partition, record)
                values.setdefault(record["key"], []).append(record["payload"])
        self.assertEqual(values, {key: [f"{key} {n}" for n in range(50)] for key in keys})
        self.assertGreater(len(set(home.values())), 1)

    def test_idempotent_producer(self):
        topic, failed = self.topic(partitions=2), []
        producer = confluent_producer(self.address, enable_idempotence=True, linger_ms=1)
        for i in range(5000):
            producer.produce(topic, value=str(i), partition=i % 2, on_delivery=lambda error, _: failed.append(error) if error else None)
            producer.poll(0)
        self.assertEqual(producer.flush(60), 0)
        self.assertEqual(failed, [])
        for partition in (0, 1):
            self.assertEqual([int(r.value) for r in self.read(topic, 2500, partition)], list(range(partition, 5000, 2)))
