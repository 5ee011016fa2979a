"""kafka-python made to speak as clients before Kafka 0.11 did: message formats 0 and 1, Produce 0 to 2, Fetch 0 to 3."""
from support import InteropTest, TopicPartition

OLD = ((0, 8, 2), (0, 9), (0, 10), (0, 10, 1))
CODECS = (None, "gzip", "snappy", "lz4")


class OldClients(InteropTest):
    def codecs(self, version):
        # For the broken lz4 header of format 0 the library wants a package that Debian's does not bring.
        return CODECS if version >= (0, 10) else CODECS[:3]

    def write(self, topic, version, codec, count):
        producer = self.producer(api_version=version, compression_type=codec, acks="all", linger_ms=50)
        sent = [producer.send(topic, value=b"value %d " % i * 20, key=b"key %d" % i) for i in range(count)]
        return [one.get(20).offset for one in sent]

    def read_old(self, topic, version, count):
        consumer = self.consumer(api_version=version, consumer_timeout_ms=10000)
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        out = []
        for record in consumer:
            out.append(record)
            if len(out) == count:
                break
        return out

    def test_what_they_write_every_client_reads(self):
        for version in OLD:
            for codec in self.codecs(version):
                with self.subTest(version=version, codec=codec):
                    topic = self.topic()
                    self.assertEqual(self.write(topic, version, codec, 30), list(range(30)))
                    for reader in (version, None):
                        records = self.read_old(topic, reader, 30)
                        self.assertEqual([(r.offset, r.key, r.value) for r in records],
                                         [(i, b"key %d" % i, b"value %d " % i * 20) for i in range(30)])
                    dump = self.kcat("-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-f", "%o %k\n")
                    self.assertEqual(dump.splitlines(), [f"{i} key {i}" for i in range(30)])

    def test_they_read_what_new_clients_write(self):
        for codec in CODECS:
            topic = self.topic()
            producer = self.producer(compression_type=codec, acks="all", linger_ms=50)
            sent = [producer.send(topic, value=b"v%d" % i, key=None if i % 2 else b"k", headers=[("h", b"x")]) for i in range(20)]
            self.assertEqual([one.get(20).offset for one in sent], list(range(20)))
            for version in OLD:
                if codec not in self.codecs(version):
                    continue
                with self.subTest(version=version, codec=codec):
                    records = self.read_old(topic, version, 20)
                    self.assertEqual([(r.offset, r.key, r.value) for r in records],
                                     [(i, None if i % 2 else b"k", b"v%d" % i) for i in range(20)])
