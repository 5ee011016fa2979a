"""Topics: made by asking, made by hand, described, deleted, refused."""
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin import NewTopic as ConfluentTopic
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import (InvalidPartitionsError, InvalidReplicationFactorError, InvalidTopicError, TopicAlreadyExistsError,
                          UnknownTopicOrPartitionError)
from support import InteropTest, confluent_producer, kcat_metadata, wait_until


class Topics(InteropTest):
    def admin(self):
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        self.addCleanup(admin.close)
        return admin

    def wait_gone(self, name):
        wait_until(lambda: name not in [t["topic"] for t in kcat_metadata(self.address)], 20, f"{name} to be gone")

    def test_metadata_by_kcat(self):
        topic = self.topic(partitions=3)
        out = self.kcat("-L")
        self.assertIn(f'topic "{topic}" with 3 partitions', out)
        self.assertIn(f" at {self.address}", out)
        [entry] = kcat_metadata(self.address, topic)
        self.assertEqual([p["partition"] for p in entry["partitions"]], [0, 1, 2])
        for p in entry["partitions"]:
            self.assertEqual(([r["id"] for r in p["replicas"]], [r["id"] for r in p["isrs"]]), ([p["leader"]], [p["leader"]]))

    def test_a_topic_is_made_by_the_first_record(self):
        by_kcat, by_python = self.name("auto"), self.name("auto")
        self.kcat("-P", "-t", by_kcat, stdin="first\n")
        self.assertEqual([r.value for r in self.read(by_kcat, 1)], [b"first"])
        self.assertEqual(self.producer().send(by_python, value=b"first").get(30).offset, 0)
        self.assertEqual([r.value for r in self.read(by_python, 1)], [b"first"])
        for name in (by_kcat, by_python):
            self.assertEqual(len(kcat_metadata(self.address, name)[0]["partitions"]), 1)

    def test_create_describe_delete_by_kafka_python(self):
        admin, name = self.admin(), self.name()
        admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=1)])
        self.wait_for_topic(name, 3)
        self.assertIn(name, admin.list_topics())
        [described] = admin.describe_topics([name])
        self.assertEqual((described["error_code"], described["topic"], described["is_internal"]), (0, name, False))
        self.assertEqual(sorted(p["partition"] for p in described["partitions"]), [0, 1, 2])
        with self.assertRaises(TopicAlreadyExistsError):
            admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=1)])
        admin.delete_topics([name])
        self.wait_gone(name)
        with self.assertRaises(UnknownTopicOrPartitionError):
            admin.delete_topics([name])

    def test_create_and_delete_by_confluent(self):
        admin, name = AdminClient({"bootstrap.servers": self.address}), self.name()
        admin.create_topics([ConfluentTopic(name, 2, 1)])[name].result(30)
        self.wait_for_topic(name, 2)
        self.assertEqual(len(admin.list_topics(timeout=30).topics[name].partitions), 2)
        with self.assertRaises(Exception) as caught:
            admin.create_topics([ConfluentTopic(name, 2, 1)])[name].result(30)
        self.assertEqual(caught.exception.args[0].name(), "TOPIC_ALREADY_EXISTS")
        self.assertIn(name, caught.exception.args[0].str())
        admin.delete_topics([name], operation_timeout=20)[name].result(30)
        self.wait_gone(name)
        with self.assertRaises(Exception) as caught:
            admin.delete_topics([name])[name].result(30)
        self.assertEqual(caught.exception.args[0].name(), "UNKNOWN_TOPIC_OR_PART")

    def test_refused_topics(self):
        admin = self.admin()
        for bad, error in ((NewTopic("bad name", 1, 1), InvalidTopicError), (NewTopic("x" * 250, 1, 1), InvalidTopicError),
                           (NewTopic(self.name(), 0, 1), InvalidPartitionsError), (NewTopic(self.name(), 1, 3), InvalidReplicationFactorError)):
            with self.subTest(name=bad.name[:20], partitions=bad.num_partitions, replicas=bad.replication_factor):
                with self.assertRaises(error):
                    admin.create_topics([bad])

    def test_validate_only_makes_nothing(self):
        admin, name = self.admin(), self.name()
        admin.create_topics([NewTopic(name, 1, 1)], validate_only=True)
        self.assertNotIn(name, admin.list_topics())

    def test_many_topics_in_one_request(self):
        admin, names = self.admin(), [self.name("many") for _ in range(25)]
        admin.create_topics([NewTopic(name, 2, 1) for name in names])
        wait_until(lambda: set(names) <= set(admin.list_topics()), 30, "25 topics")
        admin.delete_topics(names)
        wait_until(lambda: not set(names) & set(admin.list_topics()), 30, "25 topics to be gone")

    def test_a_topic_deleted_and_made_again_is_empty(self):
        admin, name = self.admin(), self.name()
        for generation in (b"old", b"new"):
            admin.create_topics([NewTopic(name, 1, 1)])
            self.wait_for_topic(name, 1)
            producer = confluent_producer(self.address)
            outcome = []
            producer.produce(name, value=generation, on_delivery=lambda error, message: outcome.append((error, message.offset())))
            self.assertEqual(producer.flush(30), 0)
            self.assertEqual(outcome, [(None, 0)])
            self.assertEqual([r.value for r in self.read(name, 1)], [generation])
            admin.delete_topics([name])
            self.wait_gone(name)

    def test_reading_an_unknown_topic_is_an_error(self):
        done = self.kcat("-C", "-e", "-t", self.name("nobody"), "-p", "0", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"nknown topic", done.stderr)

    def test_writing_to_an_unknown_partition_is_an_error(self):
        topic, outcome = self.topic(), []
        producer = confluent_producer(self.address, message_timeout_ms=10_000)
        try:
            producer.produce(topic, value="x", partition=9, on_delivery=lambda error, _: outcome.append(error.name()))
            producer.flush(30)
        except Exception as error:   # librdkafka says so at once when it knows the topic already
            outcome.append(error.args[0].name())
        self.assertEqual(outcome, ["_UNKNOWN_PARTITION"])
