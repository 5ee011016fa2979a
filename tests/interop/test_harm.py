"""What a broker must shrug off: strangers, half requests, crowds."""
import random
import socket
import struct

from support import InteropTest, kcat_read

# A TLS 1.2 client's first record, as a browser sends it to a port that it takes for HTTPS.
HELLO_BODY = b"\x03\x03" + bytes(range(32)) + b"\x00\x00\x04\x13\x01\x00\xff\x01\x00"
CLIENT_HELLO = b"\x16\x03\x01" + struct.pack(">H", len(HELLO_BODY) + 4) + b"\x01" + struct.pack(">I", len(HELLO_BODY))[1:] + HELLO_BODY


def frame(payload):
    return struct.pack(">i", len(payload)) + payload


def request(key, version, correlation, body=b"", client=b"harm"):
    return frame(struct.pack(">hhih", key, version, correlation, len(client)) + client + body)


class Strangers(InteropTest):
    def connect(self):
        host, _, port = self.address.rpartition(":")
        s = socket.create_connection((host, int(port)), timeout=20)
        self.addCleanup(s.close)
        return s

    def closed(self, s):
        """Whether the broker ends the connection (whatever it says before)."""
        try:
            while s.recv(4096):
                pass
        except ConnectionError:
            pass
        except socket.timeout:
            return False
        return True

    def check_alive(self, topic, step):
        self.kcat("-P", "-t", topic, stdin=f"after {step}\n")
        self.assertEqual(kcat_read(self.address, topic)[-1]["payload"], f"after {step}")

    def test_bytes_that_are_not_kafka_end_the_connection_and_nothing_else(self):
        topic, draw = self.topic(), random.Random(7)
        strangers = {
            "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "tls": CLIENT_HELLO, "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
            "random": b"\x7f" + draw.randbytes(5000), "negative size": struct.pack(">i", -5) + b"abc",
            "largest size": b"\x7f\xff\xff\xff" + b"x" * 100, "empty frame": struct.pack(">i", 0),
            "short header": frame(b"\0\x12\0"), "unknown api": request(999, 0, 1), "negative api": request(-1, 0, 1),
            "unknown version": request(3, 99, 1), "negative version": request(3, -1, 1),
            "client id longer than the frame": frame(struct.pack(">hhih", 3, 0, 1, 30000)),
            "array longer than the frame": request(3, 1, 1, struct.pack(">i", 2**31 - 1)),
            "array of negative length": request(3, 0, 1, struct.pack(">i", -100)),
            "string cut": request(3, 1, 1, struct.pack(">ih", 1, 500) + b"abc"),
            "random body": request(0, 3, 1, draw.randbytes(300)),
        }
        for what, data in strangers.items():
            with self.subTest(what):
                s = self.connect()
                s.sendall(data)
                self.assertTrue(self.closed(s), f"{what}: the connection stays open")
                self.check_alive(topic, what)

    def test_a_request_cut_in_the_middle(self):
        topic = self.topic()
        for cut in (1, 3, 4, 5, 11, 20):
            s = self.connect()
            s.sendall(request(18, 0, 1, client=b"a client with a long name")[:cut])
            s.shutdown(socket.SHUT_WR)
            self.assertTrue(self.closed(s), cut)
            s.close()
        self.check_alive(topic, "cut requests")

    def test_requests_that_come_byte_by_byte_and_in_one_piece(self):
        slow = self.connect()
        for byte in request(18, 0, 77):
            slow.sendall(bytes([byte]))
        self.assertEqual(self.answer(slow)[:4], struct.pack(">i", 77))
        many = self.connect()
        many.sendall(b"".join(request(18, 0, i) for i in range(100)))
        self.assertEqual([struct.unpack(">i", self.answer(many)[:4])[0] for _ in range(100)], list(range(100)))

    def answer(self, s):
        return self.exactly(s, struct.unpack(">i", self.exactly(s, 4))[0])

    def exactly(self, s, size):
        out = b""
        while len(out) < size:
            piece = s.recv(size - len(out))
            self.assertTrue(piece, "the broker closed the connection")
            out += piece
        return out

    def test_200_connections_at_once(self):
        crowd = [self.connect() for _ in range(200)]
        for turn in range(3):
            for i, s in enumerate(crowd):
                s.sendall(request(18, 0, 1000 * turn + i))
            for i, s in enumerate(crowd):
                self.assertEqual(self.answer(s)[:6], struct.pack(">ih", 1000 * turn + i, 0))
        self.check_alive(self.topic(), "a crowd")

    def test_clients_that_leave_while_a_fetch_waits(self):
        topic = self.topic()
        name = topic.encode()
        fetch = struct.pack(">iiiibi", -1, 30_000, 1, 1 << 20, 0, 1) + struct.pack(">h", len(name)) + name + struct.pack(">iiqi", 1, 0, 0, 1 << 20)
        for _ in range(50):
            s = self.connect()
            s.sendall(request(1, 4, 1, fetch))
            s.close()
        self.check_alive(topic, "fetches nobody waits for")
