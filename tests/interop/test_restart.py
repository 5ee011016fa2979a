"""Brokers that die and come back: acknowledged means there, in order, with the same bytes."""
import os
import re
import socket
import subprocess
import threading
import time
import unittest

import broker
import support
from kafka import KafkaProducer
from kafka.errors import KafkaError
from support import OwnBrokerTest, confluent_producer, kcat, kcat_read, read_records, wait_until


def value_of(i):
    return f"{i:07d} ".encode() + bytes([33 + i % 90]) * (i % 700)


class Kill(OwnBrokerTest):
    """kill -9 in the middle of producing."""

    def check_acknowledged(self, address, topic, acknowledged, exactly_once):
        end = 1 + max(acknowledged.values())
        stored = read_records(address, topic, end, seconds=120)
        self.assertEqual([r.offset for r in stored], list(range(len(stored))))
        by_offset = {r.offset: r.value for r in stored}
        wrong = [(i, offset) for i, offset in acknowledged.items() if by_offset.get(offset) != value_of(i)]
        self.assertEqual(wrong[:5], [], f"{len(wrong)} of {len(acknowledged)} acknowledged records are lost or changed")
        numbers = [int(r.value[:7]) for r in stored]
        for i, value in zip(numbers, (r.value for r in stored)):
            self.assertEqual(value, value_of(i))
        firsts = list(dict.fromkeys(numbers))
        self.assertEqual(firsts, sorted(firsts), "records changed places")
        if exactly_once:
            self.assertEqual(len(numbers), len(firsts), "an idempotent producer's record is there twice")

    def kill_while_producing(self, idempotent, kills=2, count=20_000, **config):
        b = self.broker().start()
        kcat(b.address, "-P", "-t", "killed", "-X", "topic.request.timeout.ms=20000")     # no records: asks for the topic, which creates it
        acknowledged, failed, stop = {}, [], threading.Event()
        producer = confluent_producer(b.address, acks="all", enable_idempotence=idempotent, max_in_flight=5 if idempotent else 1,
                                      linger_ms=1, batch_num_messages=200, message_timeout_ms=120_000, reconnect_backoff_max_ms=500,
                                      socket_timeout_ms=10_000, **config)

        def delivered(i):
            return lambda error, message: failed.append((i, error)) if error else acknowledged.__setitem__(i, message.offset())

        def produce():
            for i in range(count):
                while not stop.is_set():
                    try:
                        producer.produce("killed", value=value_of(i), partition=0, on_delivery=delivered(i))
                        break
                    except BufferError:
                        producer.poll(0.1)
                producer.poll(0)
                while i - len(acknowledged) > 2000 and not failed and not stop.is_set():
                    producer.poll(0.05)

        thread = threading.Thread(target=produce, daemon=True)
        thread.start()
        try:
            for k in range(1, kills + 1):
                wait_until(lambda: len(acknowledged) >= k * count // (kills + 2) or failed, 60, "records to be acknowledged")
                b.kill()
                b.start()
            thread.join(120)
            self.assertFalse(thread.is_alive(), f"the producer is stuck after {len(acknowledged)} records")
            self.assertEqual(producer.flush(120), 0)
        finally:
            stop.set()
        self.assertEqual(failed[:3], [])
        self.assertEqual(len(acknowledged), count)
        self.check_acknowledged(b.address, "killed", acknowledged, idempotent)
        self.assertEqual(b.stop(), 0)

    def test_kill_9_with_acks_all(self):
        self.kill_while_producing(idempotent=False)

    def test_kill_9_with_an_idempotent_producer(self):
        self.kill_while_producing(idempotent=True)

    def test_kill_9_with_compressed_records(self):
        self.kill_while_producing(idempotent=False, kills=1, compression_type="lz4")

    def test_kill_9_with_kafka_python(self):
        b = self.broker().start()
        producer = KafkaProducer(bootstrap_servers=b.address, acks="all", retries=100, max_in_flight_requests_per_connection=1, linger_ms=1,
                                 retry_backoff_ms=50, reconnect_backoff_max_ms=500, request_timeout_ms=10_000, max_block_ms=60_000)
        self.addCleanup(producer.close, 5)
        sent = [producer.send("python", value=value_of(i)) for i in range(2000)]
        sent[500].get(60)
        b.kill()
        b.start()
        sent += [producer.send("python", value=value_of(i)) for i in range(2000, 3000)]
        producer.flush(120)
        acknowledged = {}
        for i, future in enumerate(sent):
            try:
                acknowledged[i] = future.get(60).offset
            except KafkaError:
                pass    # what was not acknowledged may be lost: the client gave it up
        self.assertGreater(len(acknowledged), 1000)
        self.check_acknowledged(b.address, "python", acknowledged, False)


class Restart(OwnBrokerTest):
    def test_clean_stop_and_restart(self):
        b = self.broker().start()
        for round_number in range(3):
            kcat(b.address, "-P", "-t", "kept", stdin="".join(f"round {round_number} record {i}\n" for i in range(100)))
            seen = kcat_read(b.address, "kept")
            self.assertEqual([r["payload"] for r in seen], [f"round {n} record {i}" for n in range(round_number + 1) for i in range(100)])
            self.assertEqual([r["offset"] for r in seen], list(range(100 * round_number + 100)))
            self.assertEqual(b.stop(), 0)
            b.start()
        self.assertEqual(len(kcat_read(b.address, "kept")), 300)
        self.assertEqual(b.stop(), 0)

    def test_a_stop_with_clients_connected_does_not_wait_for_them(self):
        b = self.broker().start()
        kcat(b.address, "-P", "-t", "watched", stdin="x\n")
        reader = subprocess.Popen(["kcat", "-b", b.address, "-C", "-E", "-t", "watched", "-u", "-X", "fetch.wait.max.ms=60000", "-X", "log_level=0"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            self.assertEqual(reader.stdout.readline(), b"x\n")
            started = time.monotonic()
            self.assertEqual(b.stop(), 0)
            self.assertLess(time.monotonic() - started, 30)
            b.start()
            kcat(b.address, "-P", "-t", "watched", stdin="y\n")
            self.assertEqual(reader.stdout.readline(), b"y\n", "the consumer finds the broker again and reads on")
        finally:
            reader.kill()
            reader.wait()
            reader.stdout.close()

    def test_deleted_topics_stay_deleted(self):
        from kafka.admin import KafkaAdminClient
        b = self.broker().start()
        for name in ("stays", "goes"):
            kcat(b.address, "-P", "-t", name, stdin="x\n")
        admin = KafkaAdminClient(bootstrap_servers=b.address)
        admin.delete_topics(["goes"])
        admin.close()
        wait_until(lambda: "goes" not in [t["topic"] for t in support.kcat_metadata(b.address)], 20, "the topic to be gone")
        b.kill()
        b.start()
        topics = [t["topic"] for t in support.kcat_metadata(b.address)]
        self.assertIn("stays", topics)
        self.assertNotIn("goes", topics)


class Dev(OwnBrokerTest):
    """What `moldau dev` says to a new user."""

    def setUp(self):
        super().setUp()
        if support.program_is_kafka():
            self.skipTest("about moldau's own words")

    def test_a_port_in_use_names_its_holder(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            b = self.broker(port=port)
            with self.assertRaises(RuntimeError):
                b.start(wait=20)
            self.assertNotEqual(b.process.wait(20), 0)
            said = b.output()
            self.assertIn(str(port), said)
            self.assertRegex(said, rf"python3|\b{os.getpid()}\b")

    def test_two_brokers_do_not_share_a_data_directory(self):
        first = self.broker().start()
        second = self.broker(data=first.data)
        with self.assertRaises(RuntimeError):
            second.start(wait=20)
        self.assertNotEqual(second.process.wait(20), 0)
        self.assertIn(f"{first.data} is in use by another process", second.output())
        kcat(first.address, "-P", "-t", "mine", stdin="x\n")
        self.assertEqual(len(kcat_read(first.address, "mine")), 1)

    def test_ephemeral_keeps_nothing(self):
        b = self.broker(ephemeral=True).start()
        kcat(b.address, "-P", "-t", "gone", stdin="x\n")
        wait_until(lambda: len(self.commands(b)) >= 3, 10, f"the end of {b.lines}")
        folders = [f for f in re.findall(r"(/[\w./-]+)", "\n".join(b.lines)) if os.path.isdir(f)]
        self.assertTrue(folders, f"no data directory named in {b.lines}")
        self.assertEqual(b.stop(), 0)
        self.assertEqual([f for f in folders if os.path.exists(f)], [], "the temporary directory is still there")

    def test_without_a_command_or_with_a_wrong_one_it_says_so(self):
        alone = subprocess.run([broker.PROGRAM], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
        self.assertEqual((alone.returncode, alone.stdout), (2, ""))
        for command in ("dev", "server", "storage"):
            self.assertRegex(alone.stderr, rf"(?m)^  {command} ")
        wrong = subprocess.run([broker.PROGRAM, "dve"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("dve", wrong.stderr)

    def test_ephemeral_and_a_data_directory_exclude_each_other(self):
        done = subprocess.run([broker.PROGRAM, "dev", "--ephemeral", "--data", "/nowhere", "--listen", "127.0.0.1:0"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("--data", done.stderr)

    def test_the_printed_commands_work_when_typed(self):
        b = self.broker().start()
        wait_until(lambda: len(self.commands(b)) >= 3, 10, f"three commands in {b.lines}")
        printed = [line.strip().removeprefix("$ ") for line in self.commands(b)]
        outcomes = []
        for command in printed:
            # In a shell, with the terminal's input at its end; a consumer that waits for more is stopped after a while.
            done = subprocess.run(["timeout", "--preserve-status", "-s", "INT", "20", "bash", "-c", command], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, cwd=broker.ROOT)
            outcomes.append((command, done.returncode, done.stdout.decode(), done.stderr.decode()))
        for command, status, _, errors in outcomes:
            self.assertIn(status, (0, 130), f"{command}\n{errors}")
        self.assertTrue(any(out.strip() for _, _, out, _ in outcomes), outcomes)

    @staticmethod
    def commands(b):
        return [line for line in b.lines if re.match(r"\s+(\$ )?(\S*kcat|\S*moldau|echo|printf|seq|python3|/usr/bin/python3)\s", line)]


if __name__ == "__main__":
    unittest.main()
