"""A Kafka connection that sends exactly what it is told and shows exactly what comes back; no retries, no opinion."""
import os
import socket
import struct
import time

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "moldau", "kafka-4.3.1")


class Closed(Exception):
    """The broker closed the connection instead of answering."""


class Silent(Exception):
    """The broker neither answered nor closed in the given time."""


class Connection:
    def __init__(self, address, protocol=None, timeout=15.0):
        host, _, port = address.rpartition(":")
        self.protocol, self.correlation = protocol, 0
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_frame(self, payload):
        try:
            self.socket.sendall(struct.pack(">i", len(payload)) + payload)
        except (ConnectionError, BrokenPipeError) as error:
            raise Closed(str(error)) from None

    def _exactly(self, size):
        out = bytearray()
        while len(out) < size:
            try:
                piece = self.socket.recv(min(size - len(out), 1 << 20))
            except socket.timeout:
                raise Silent(f"{len(out)} of {size} bytes came") from None
            except ConnectionError as error:
                raise Closed(str(error)) from None
            if not piece:
                raise Closed(f"end of stream after {len(out)} of {size} bytes")
            out += piece
        return bytes(out)

    def receive_frame(self):
        return self._exactly(struct.unpack(">i", self._exactly(4))[0])

    def send(self, api, version, body):
        self.correlation += 1
        self.send_frame(self.protocol.encode_request(api, version, self.correlation, body))
        return self.correlation

    def receive(self, api, version):
        correlation, body = self.protocol.decode_response(api, version, self.receive_frame())
        if correlation != self.correlation:
            raise ValueError(f"answer for request {correlation}, expected {self.correlation}")
        return body

    def call(self, api, version, **body):
        self.send(api, version, body)
        return self.receive(api, version)


def wait_until(condition, seconds, what):
    """Polls until `condition()` is true; its last value, or TimeoutError that says what did not happen."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.05)


def fetch_all(connection, topic, partition, version=4, start=0, max_bytes=1 << 20):
    """Every byte of record batches from `start` to the high watermark, as Fetch delivers them, batch by batch."""
    import records
    out, offset = bytearray(), start
    while True:
        body = {"ReplicaId": -1, "MaxWaitMs": 100, "MinBytes": 1, "MaxBytes": max_bytes, "Topics": [
            {"Topic": topic, "Partitions": [{"Partition": partition, "FetchOffset": offset, "PartitionMaxBytes": max_bytes}]}]}
        if version >= 13:
            raise ValueError("fetch_all names topics: version 4 to 12")
        answer = connection.call("Fetch", version, **body)
        part = answer["Responses"][0]["Partitions"][0]
        if part["ErrorCode"]:
            raise RuntimeError(f"Fetch {topic}-{partition} at {offset}: error {part['ErrorCode']}")
        whole = records.whole_batches(part["Records"] or b"")
        for batch in whole:
            if batch.last_offset < offset:
                raise RuntimeError(f"Fetch at {offset} returned the batch {batch.base_offset}..{batch.last_offset}")
            out += batch.data
            offset = batch.last_offset + 1
        if offset >= part["HighWatermark"]:
            return bytes(out)
        if not whole:
            raise RuntimeError(f"Fetch {topic}-{partition} at {offset} made no progress, high watermark {part['HighWatermark']}")
