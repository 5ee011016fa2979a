"""Record batches as bytes: build (also wrong ones) and take apart. Written from the format, not from any library."""
import gzip
import struct
import time


def _table():
    out = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82F63B78 if i & 1 else 0)
        out.append(i)
    return out


_TABLE = _table()


def crc32c(data):
    crc, table = 0xFFFFFFFF, _TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(value):
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _sized(data):
    return varint(-1) if data is None else varint(len(data)) + data


def record(offset_delta, value, key=None, headers=(), timestamp_delta=0):
    body = b"\0" + varint(timestamp_delta) + varint(offset_delta) + _sized(key) + _sized(value) + varint(len(headers))
    for name, content in headers:
        body += _sized(name.encode()) + _sized(content)
    return varint(len(body)) + body


class Make:
    """One batch; every field can be set wrong on purpose."""

    def __init__(self, values, timestamp=None, timestamps=None):
        self.values = list(values)
        self.timestamps = list(timestamps or [int(time.time() * 1000) if timestamp is None else timestamp] * len(self.values))
        self.base_offset, self.leader_epoch, self.magic, self.attributes = 0, -1, 2, 0
        self.producer_id, self.producer_epoch, self.base_sequence = -1, -1, -1
        self.count = self.last_offset_delta = self.length = self.crc = self.payload = self.max_timestamp = None

    def set(self, **fields):
        for name, value in fields.items():
            if not hasattr(self, name):
                raise AttributeError(name)
            setattr(self, name, value)
        return self

    def bytes(self):
        base = self.timestamps[0] if self.timestamps else -1
        payload = self.payload
        if payload is None:
            payload = b"".join(
                record(i, value if not isinstance(value, tuple) else value[1], None if not isinstance(value, tuple) else value[0],
                       timestamp_delta=self.timestamps[i] - base) for i, value in enumerate(self.values))
        count = len(self.values) if self.count is None else self.count
        delta = len(self.values) - 1 if self.last_offset_delta is None else self.last_offset_delta
        newest = max(self.timestamps, default=-1) if self.max_timestamp is None else self.max_timestamp
        covered = struct.pack(">hiqqqhii", self.attributes, delta, base, newest, self.producer_id,
                              self.producer_epoch, self.base_sequence, count) + payload
        crc = crc32c(covered) if self.crc is None else self.crc
        length = 9 + len(covered) if self.length is None else self.length
        return struct.pack(">qiibI", self.base_offset, length, self.leader_epoch, self.magic, crc) + covered


def batch(*values, **fields):
    timestamp = fields.pop("timestamp", None)
    timestamps = fields.pop("timestamps", None)
    return Make(values, timestamp, timestamps).set(**fields).bytes()


def gzip_batch(*values, timestamps, **fields):
    payload = b"".join(record(i, value, timestamp_delta=timestamps[i] - timestamps[0]) for i, value in enumerate(values))
    return Make(values, None, timestamps).set(attributes=1, payload=gzip.compress(payload, mtime=0), **fields).bytes()


def message_v1(value, magic=1, timestamp=0):
    """One uncompressed record of the format before Kafka 0.11, as a message set."""
    import zlib
    body = struct.pack(">bb", magic, 0) + (struct.pack(">q", timestamp) if magic else b"") + struct.pack(">ii", -1, len(value)) + value
    body = struct.pack(">I", zlib.crc32(body)) + body
    return struct.pack(">qi", 0, len(body)) + body


class Batch:
    def __init__(self, data):
        self.data = data
        self.base_offset, self.length, self.leader_epoch, self.magic, self.crc = struct.unpack_from(">qiibI", data)
        (self.attributes, self.last_offset_delta, self.base_timestamp, self.max_timestamp, self.producer_id, self.producer_epoch,
         self.base_sequence, self.count) = struct.unpack_from(">hiqqqhii", data, 21)
        self.last_offset = self.base_offset + self.last_offset_delta
        self.codec = self.attributes & 7

    def crc_is_right(self):
        return crc32c(self.data[21:]) == self.crc


def whole_batches(data):
    """The complete batches at the front of `data`; a cut one at the end is what Fetch may leave and is dropped."""
    out, at = [], 0
    while at + 61 <= len(data):
        length = struct.unpack_from(">i", data, at + 8)[0]
        if at + 12 + length > len(data):
            break
        out.append(Batch(bytes(data[at:at + 12 + length])))
        at += 12 + length
    return out
