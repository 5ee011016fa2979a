"""Kafka messages from and to plain dicts, driven by the JSON schemas inside kafka-clients' jar.

The schemas are Kafka's own description of its protocol, so every version of every message comes for free and nothing in here
can share a misunderstanding with Moldau's generated code.
"""
import json
import struct
import uuid
import zipfile

_FIXED = {"bool": ">?", "int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "float64": ">d"}


def strip_comments(text):
    """JSON with // comments to JSON: a // inside a string is no comment."""
    out, in_string, i = [], False, 0
    while i < len(text):
        c = text[i]
        if in_string:
            if c == "\\":
                out.append(text[i:i + 2])
                i += 2
                continue
            in_string = c != '"'
        elif c == '"':
            in_string = True
        elif text.startswith("//", i):
            i = text.find("\n", i)
            if i < 0:
                break
            continue
        out.append(c)
        i += 1
    return "".join(out)


class Versions:
    """A range such as "3-7", "2+", "4" or "none"."""

    def __init__(self, text):
        self.low, self.high = 1, 0
        if text and text != "none":
            if text.endswith("+"):
                self.low, self.high = int(text[:-1]), 32767
            else:
                low, _, high = text.partition("-")
                self.low, self.high = int(low), int(high or low)

    def __contains__(self, version):
        return self.low <= version <= self.high

    def __iter__(self):
        return iter(range(self.low, self.high + 1))


class Field:
    def __init__(self, spec, structs):
        self.name = spec["name"]
        self.versions = Versions(spec.get("versions", "none"))
        self.nullable = Versions(spec.get("nullableVersions", "none"))
        self.tagged = Versions(spec.get("taggedVersions", "none"))
        self.tag = spec.get("tag")
        self.classic = spec.get("flexibleVersions") == "none"   # the client id of the header: never a compact string
        self.array = spec["type"].startswith("[]")
        self.type = spec["type"][2:] if self.array else spec["type"]
        self.fields = None
        if "fields" in spec:
            self.fields = [Field(f, structs) for f in spec["fields"]]
        elif self.type in structs:
            self.fields = [Field(f, structs) for f in structs[self.type]["fields"]]
        self.default = self._default(spec.get("default"))

    def _default(self, text):
        if text == "null":
            return None
        if self.array:
            return []
        if self.fields is not None:
            return {}
        if self.type == "bool":
            return text in (True, "true")
        if self.type in ("string",):
            return text or ""
        if self.type in ("bytes", "records"):
            return b""
        if self.type == "uuid":
            return uuid.UUID(int=0)
        if self.type == "float64":
            return float(text or 0)
        return int(str(text or 0), 0)


class Writer:
    def __init__(self, flexible):
        self.out, self.flexible = bytearray(), flexible

    def number(self, kind, value):
        self.out += struct.pack(_FIXED[kind], value)

    def uvarint(self, value):
        while value >= 0x80:
            self.out.append(value & 0x7F | 0x80)
            value >>= 7
        self.out.append(value)

    def length(self, size, kind, classic=False):
        """`size` is None for null."""
        if self.flexible and not classic:
            self.uvarint(0 if size is None else size + 1)
        else:
            self.number("int16" if kind == "string" else "int32", -1 if size is None else size)

    def struct(self, fields, values, version):
        unknown = set(values) - {f.name for f in fields}
        if unknown:
            raise KeyError(f"no such field: {sorted(unknown)}")
        tags = {}
        for f in fields:
            if version not in f.versions and version not in f.tagged:
                continue
            value = values.get(f.name, f.default)
            if version in f.tagged:
                if value != f.default:
                    inner = Writer(self.flexible)
                    inner.field(f, value, version)
                    tags[f.tag] = bytes(inner.out)
                continue
            self.field(f, value, version)
        if self.flexible:
            self.uvarint(len(tags))
            for tag in sorted(tags):
                self.uvarint(tag)
                self.uvarint(len(tags[tag]))
                self.out += tags[tag]

    def field(self, f, value, version):
        if f.array:
            self.length(None if value is None else len(value), "array")
            for element in value or []:
                self.one(f, element, version)
        else:
            self.one(f, value, version)

    def one(self, f, value, version):
        if f.fields is not None:
            if version in f.nullable and not f.array:
                self.number("int8", -1 if value is None else 1)
                if value is None:
                    return
            self.struct(f.fields, value, version)
        elif f.type == "uuid":
            self.out += value.bytes
        elif f.type in ("string", "bytes", "records"):
            data = value.encode() if isinstance(value, str) else value
            self.length(None if data is None else len(data), f.type, f.classic)
            self.out += data or b""
        else:
            self.number(f.type, value)


class Reader:
    def __init__(self, data, flexible):
        self.data, self.at, self.flexible = data, 0, flexible

    def take(self, size):
        if size < 0 or self.at + size > len(self.data):
            raise ValueError(f"{size} bytes wanted at {self.at}, {len(self.data) - self.at} left")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, kind):
        return struct.unpack(_FIXED[kind], self.take(struct.calcsize(_FIXED[kind])))[0]

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def length(self, kind, classic=False):
        if self.flexible and not classic:
            return self.uvarint() - 1
        return self.number("int16" if kind == "string" else "int32")

    def struct(self, fields, version):
        out, tagged = {}, {}
        for f in fields:
            if version in f.tagged:
                out[f.name], tagged[f.tag] = f.default, f
            elif version in f.versions:
                out[f.name] = self.field(f, version)
        for _ in range(self.uvarint() if self.flexible else 0):
            tag, inner = self.uvarint(), Reader(self.take(self.uvarint()), True)
            if tag in tagged:
                out[tagged[tag].name] = inner.field(tagged[tag], version)
            else:
                out[f"unknown tag {tag}"] = inner.data
        return out

    def field(self, f, version):
        if not f.array:
            return self.one(f, version)
        size = self.length("array")
        return None if size < 0 else [self.one(f, version) for _ in range(size)]

    def one(self, f, version):
        if f.fields is not None:
            if version in f.nullable and not f.array and self.number("int8") < 0:
                return None
            return self.struct(f.fields, version)
        if f.type == "uuid":
            return uuid.UUID(bytes=bytes(self.take(16)))
        if f.type in ("string", "bytes", "records"):
            size = self.length(f.type, f.classic)
            if size < 0:
                return None
            data = self.take(size)
            return data.decode() if f.type == "string" else data
        return self.number(f.type)


class Message:
    def __init__(self, spec):
        structs = {s["name"]: s for s in spec.get("commonStructs", [])}
        self.name, self.key = spec["name"], spec.get("apiKey")
        self.versions, self.flexible = Versions(spec["validVersions"]), Versions(spec["flexibleVersions"])
        self.unstable = spec.get("latestVersionUnstable", False)
        self.fields = [Field(f, structs) for f in spec["fields"]]

    def encode(self, values, version):
        writer = Writer(version in self.flexible)
        writer.struct(self.fields, values, version)
        return bytes(writer.out)

    def decode(self, data, version):
        """The message and the bytes behind it."""
        reader = Reader(data, version in self.flexible)
        return reader.struct(self.fields, version), data[reader.at:]


class Protocol:
    """All messages of one kafka-clients jar, by name."""

    def __init__(self, jar):
        self.by_name = {}
        with zipfile.ZipFile(jar) as archive:
            for path in archive.namelist():
                if path.startswith("common/message/") and path.endswith(".json"):
                    spec = json.loads(strip_comments(archive.read(path).decode()))
                    if spec.get("validVersions", "none") != "none":
                        self.by_name[spec["name"]] = Message(spec)

    def request(self, api):
        return self.by_name[api + "Request"]

    def response(self, api):
        return self.by_name[api + "Response"]

    def encode_request(self, api, version, correlation, body, client_id="moldau-compat"):
        message = self.request(api)
        # A version that the schema does not know is sent in the layout of the nearest one: it is the version number that is under test.
        layout = min(max(version, message.versions.low), message.versions.high)
        header = self.by_name["RequestHeader"]
        out = header.encode({"RequestApiKey": message.key, "RequestApiVersion": version, "CorrelationId": correlation,
                             "ClientId": client_id}, 2 if layout in message.flexible else 1)
        return out + message.encode(body, layout)

    def decode_response(self, api, version, frame):
        """(correlation id, body). Bytes left over are an error: a broker that sends too much is as wrong as one that sends too little."""
        message = self.response(api)
        header_version = 1 if version in message.flexible and api != "ApiVersions" else 0
        header, rest = self.by_name["ResponseHeader"].decode(frame, header_version)
        body, rest = message.decode(rest, version)
        if rest:
            raise ValueError(f"{len(rest)} bytes left behind {api} v{version}: {bytes(rest[:32]).hex()}")
        return header["CorrelationId"], body
