"""`moldau server` by a server.properties as Apache Kafka ships it."""
import os
import subprocess
import tempfile
import unittest

import broker
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from support import OwnBrokerTest, kcat, wait_until

PROPERTIES = """\
# the settings of Kafka's own config/server.properties
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:{controller}
listeners=PLAINTEXT://:{port},CONTROLLER://:{controller}
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:{port},CONTROLLER://localhost:{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs={data}
num.partitions=1
num.recovery.threads.per.data.dir=2
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
"""


class Server(OwnBrokerTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="moldau-server-")
        self.addCleanup(folder.cleanup)
        self.port = broker.free_port()
        self.address = f"localhost:{self.port}"
        self.file = os.path.join(folder.name, "server.properties")
        self.errors = os.path.join(folder.name, "stderr")
        with open(self.file, "w") as out:
            out.write(PROPERTIES.format(port=self.port, controller=broker.free_port(), data=os.path.join(folder.name, "data")))

    def add(self, line):
        with open(self.file, "a") as out:
            out.write(line + "\n")

    def said(self):
        with open(self.errors) as text:
            return text.read()

    def serve(self, *arguments, **environment):
        with open(self.errors, "w") as errors:
            process = subprocess.Popen([broker.PROGRAM, "server", self.file, *arguments], stdin=subprocess.DEVNULL, stderr=errors,
                                       env={**os.environ, **environment})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_until(lambda: "serving on" in self.said() or process.poll() is not None, 30, "the server")
        self.assertIsNone(process.poll(), self.said())
        return process

    def stop(self, process):
        process.terminate()
        self.assertEqual(process.wait(30), 0, self.said())

    def test_a_server_by_kafkas_own_file(self):
        process = self.serve("--override", "num.partitions=2", KAFKA_AUTO_CREATE_TOPICS_ENABLE="true", MOLDAU_LOG_RETENTION_MS="-1")
        self.assertNotIn("CONTROLLER", kcat(self.address, "-L"))
        producer = KafkaProducer(bootstrap_servers=self.address)
        producer.send("exam-topic", b"one", partition=1).get(20)
        producer.close()
        self.stop(process)
        process = self.serve()                          # the topic keeps its two partitions, and its record
        consumer = KafkaConsumer(bootstrap_servers=self.address, consumer_timeout_ms=20_000)
        consumer.assign([TopicPartition("exam-topic", 1)])
        consumer.seek_to_beginning()
        self.assertEqual(next(consumer).value, b"one")
        self.assertEqual(consumer.partitions_for_topic("exam-topic"), {0, 1})
        consumer.close()
        self.stop(process)

    def test_what_has_no_effect_is_said_once(self):
        self.stop(self.serve("--override", "num.io.threads=64", KAFKA_NO_SUCH_THING="1"))
        self.assertEqual(self.said().count("num.io.threads"), 1)
        self.assertIn("environment KAFKA_NO_SUCH_THING is ignored", self.said())

    def test_a_wrong_file_is_refused_with_all_that_is_wrong(self):
        self.add("num.partitons=3")
        self.add("log.retention.ms=soon")
        done = subprocess.run([broker.PROGRAM, "server", self.file], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=30)
        said = done.stderr.decode()
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean num.partitions?", said)
        self.assertIn("log.retention.ms=soon", said)

    def test_topics_are_not_deleted_where_the_file_says_so(self):
        self.add("delete.topic.enable=false")
        process = self.serve()
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        kcat(self.address, "-P", "-t", "kept", stdin=b"a record\n")
        with self.assertRaises(KafkaError):
            admin.delete_topics(["kept"])
        self.assertIn("kept", admin.list_topics())
        admin.close()
        self.stop(process)


if __name__ == "__main__":
    unittest.main()
