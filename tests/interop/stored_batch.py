"""What a broker has stored of a batch, asked for with a Fetch of version 4: the codec and the producer that a client may keep to itself."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat"))
import rawclient  # noqa: E402


def _text(value):
    return struct.pack(">h", len(value)) + value.encode()


def _request(api, version, body):
    return struct.pack(">hhih", api, version, 1, -1) + body


def first_batch(address, topic):
    """Codec and producer id of the batch at the beginning of partition 0."""
    body = struct.pack(">iiiibi", -1, 1000, 1, 1 << 20, 0, 1) + _text(topic) + struct.pack(">iiqi", 1, 0, 0, 1 << 20)
    with rawclient.Connection(address) as connection:
        connection.send_frame(_request(1, 4, body))
        frame = connection.receive_frame()
    # Correlation, throttle time, one topic, its name, one partition: number, error, two watermarks, aborted transactions, records.
    at = 4 + 4 + 4 + 2 + len(topic.encode()) + 4
    _, error, _, _, aborted = struct.unpack_from(">ihqqi", frame, at)
    if error:
        raise AssertionError(f"Fetch answered error {error}")
    batch = frame[at + 26 + max(0, aborted) * 16 + 4:]
    if batch[16] != 2:
        raise AssertionError(f"the batch has format {batch[16]}")
    return {"codec": struct.unpack_from(">h", batch, 21)[0] & 7, "producer_id": struct.unpack_from(">q", batch, 43)[0]}


def served(address):
    """The numbers of the APIs that a broker says it serves."""
    with rawclient.Connection(address) as connection:
        connection.send_frame(_request(18, 0, b""))
        frame = connection.receive_frame()
    _, error, count = struct.unpack_from(">ihi", frame, 0)
    if error:
        raise AssertionError(f"ApiVersions answered error {error}")
    return {struct.unpack_from(">hhh", frame, 10 + 6 * n)[0] for n in range(count)}
