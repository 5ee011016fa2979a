"""Reads the schema notation (docs/formats/schema-notation.md) into plain objects.

Used by generate.py (C++ out of schemas) and check_schema.py (schemas against Kafka's own).
"""
import dataclasses
import pathlib
import re

NEVER = (1, 0)  # the empty version range
OPEN = 32767  # upper end of "3+"
PRIMITIVES = {
    "bool", "int8", "int16", "uint16", "int32", "uint32", "int64", "float64", "string", "uuid", "bytes", "records"}
KINDS = ("request", "response", "header", "data", "record", "remote-record", "coordinator-key", "coordinator-value")


class SchemaError(Exception):
    """What is wrong, with file and line."""


@dataclasses.dataclass
class Field:
    """One field. Its versions are cut to those of its message; null is the range in which null is allowed."""
    name: str
    type: str  # without [] and ?: a primitive or the name of a struct
    array: bool
    entity: str
    versions: tuple
    null: tuple
    tag: int | None
    default: str | None  # as written; None: zero, empty
    ignorable: bool
    classic: bool  # never compact, even in flexible versions
    was: str | None  # the name in older releases
    since: str  # the release line that added it to versions which were there before; "": all have it
    line: int


@dataclasses.dataclass
class Struct:
    name: str
    fields: list


@dataclasses.dataclass
class Message:
    kind: str
    name: str
    api_key: int
    versions: tuple
    flexible: tuple
    body: Struct
    structs: dict  # name -> Struct, in the order in which they must be declared
    source: str


@dataclasses.dataclass
class Api:
    key: int
    name: str
    listeners: list
    releases: dict  # "3.9" -> ((min, max), last is unstable)
    was: str | None = None  # the name in older releases


def snake(camel):
    """PartitionIndex -> partition_index, Enable2Pc -> enable2_pc."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", camel).lower()


def parse_range(text):
    if text == "none":
        return NEVER
    m = re.fullmatch(r"(\d+)(\+|-(\d+))?", text)
    if not m:
        raise SchemaError(f"'{text}' is not a range of versions (0+, 0-3, 2, none)")
    low = int(m[1])
    if not m[2]:
        return (low, low)
    return (low, OPEN) if m[2] == "+" else (low, int(m[3]))


def cut(a, b):
    low, high = max(a[0], b[0]), min(a[1], b[1])
    return (low, high) if low <= high else NEVER


def show_range(r, whole):
    """The way a range is written when the message has the versions `whole`."""
    if r == NEVER:
        return "none"
    if r[1] >= whole[1]:
        return f"{r[0]}+"
    return str(r[0]) if r[0] == r[1] else f"{r[0]}-{r[1]}"


def tokens_of(line):
    """Words of a line without its comment; a quoted text is one word."""
    return re.findall(r'"[^"]*"|[^\s#]+', re.sub(r'#(?=(?:[^"]*"[^"]*")*[^"]*$).*', "", line))


class Parser:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.api = None
        self.messages = []
        self.keys = {}  # of api_keys.txt: number -> name
        self.stack = []  # (indent, Struct) of the open blocks
        self.number = 0

    def error(self, text):
        raise SchemaError(f"{self.path.name}:{self.number}: {text}")

    def parse(self):
        try:
            for self.number, line in enumerate(self.path.read_text().splitlines(), 1):
                words = tokens_of(line)
                if not words:
                    continue
                indent = len(line) - len(line.lstrip())
                if indent == 0:
                    self.top(words)
                else:
                    self.inner(indent, words)
            for message in self.messages:
                finish(message)
        except SchemaError as e:
            if str(e).startswith(self.path.name):
                raise
            self.error(e)
        return self

    def top(self, words):
        self.stack = []
        if words[0] == "api":
            self.api = Api(int(words[1]), words[2], [], {})
            return
        if words[0] == "key":
            self.keys[int(words[1])] = words[2]
            return
        kind = words[0]
        if kind not in KINDS:
            self.error(f"'{kind}' begins no block: api, key, {', '.join(KINDS)}")
        rest = words[1:]
        if kind in ("request", "response"):
            if not self.api:
                self.error(f"{kind} before api")
            key, name = self.api.key, self.api.name + kind.capitalize()
        else:
            key = -1 if kind in ("header", "data") else int(rest.pop(0))
            name = rest.pop(0)
        versions = parse_range(rest.pop(0))
        flexible = NEVER
        if rest:
            if len(rest) != 2 or rest[0] != "flexible":
                self.error("wanted: flexible RANGE")
            flexible = cut(parse_range(rest[1]), versions)
        body = Struct(name, [])
        self.messages.append(Message(kind, name, key, versions, flexible, body, {}, self.path.name))
        self.stack = [(0, body)]

    def inner(self, indent, words):
        if not self.stack:
            self.api_line(words)
            return
        while indent <= self.stack[-1][0] and len(self.stack) > 1:
            self.stack.pop()
        message = self.messages[-1]
        if words[0] == "struct":
            self.open_struct(message, words[1], indent)
            return
        field = self.field(message, words)
        owner = self.stack[-1][1]
        if any(f.name == field.name for f in owner.fields):
            self.error(f"{owner.name} has two fields {field.name}")
        owner.fields.append(field)
        if field.type not in PRIMITIVES and field.type not in message.structs:
            self.open_struct(message, field.type, indent)

    def open_struct(self, message, name, indent):
        if name in message.structs and message.structs[name].fields:
            self.error(f"struct {name} is described twice")
        struct = message.structs.setdefault(name, Struct(name, []))
        self.stack.append((indent, struct))

    def api_line(self, words):
        if not self.api or words[0] not in ("listeners", "was", "release"):
            self.error("wanted: listeners NAMES, was NAME, or release LINE RANGE [unstable], under api")
        if words[0] == "listeners":
            self.api.listeners = words[1:]
        elif words[0] == "was":
            self.api.was = words[1]
        else:
            self.api.releases[words[1]] = (parse_range(words[2]), words[3:] == ["unstable"])

    def field(self, message, words):
        if len(words) < 3:
            self.error("wanted: name type versions")
        name, kind = words[0], words[1]
        nullable = kind.startswith("?")
        kind = kind.removeprefix("?")
        array = kind.startswith("[]")
        kind, _, entity = kind.removeprefix("[]").partition("@")
        if kind[0].islower() and kind not in PRIMITIVES:
            self.error(f"unknown type {kind}")
        versions = cut(parse_range(words[2]), message.versions)
        f = Field(name, kind, array, entity, versions, versions if nullable else NEVER, None, None, False, False,
                  None, "", self.number)
        rest = words[3:]
        while rest:
            word = rest.pop(0)
            if word == "tag":
                f.tag = int(rest.pop(0))
            elif word == "null":
                f.null = cut(parse_range(rest.pop(0)), versions)
            elif word == "=":
                f.default = rest.pop(0)
            elif word == "was":
                f.was = rest.pop(0)
            elif word == "since":
                f.since = rest.pop(0)
            elif word in ("ignorable", "classic"):
                setattr(f, word, True)
            else:
                self.error(f"'{word}' is not an attribute: tag N, null RANGE, = DEFAULT, was NAME, since LINE, ignorable, classic")
        return f


def finish(message):
    """Checks what needs the whole message and puts its structs in the order of their use."""
    ordered = {}

    def visit(struct, path):
        if struct.name in path:
            raise SchemaError(f"{message.name}: {struct.name} contains itself")
        if not struct.fields and struct is not message.body:
            raise SchemaError(f"{message.name}: struct {struct.name} is used and not described")
        tags = sorted(f.tag for f in struct.fields if f.tag is not None)
        for f in struct.fields:
            if f.tag is not None and not message.flexible[0] <= f.versions[0]:
                raise SchemaError(f"{message.name}.{f.name}: tagged before the message is flexible")
            if f.type not in PRIMITIVES:
                visit(message.structs[f.type], path + [struct.name])
        for version in range(message.versions[0], message.versions[1] + 1):
            known = [f.tag for f in struct.fields if f.tag is not None and inside(version, f.versions)]
            if len(set(known)) != len(known):
                raise SchemaError(f"{message.name}.{struct.name}: one of the tags {tags} is used twice")
        if struct is not message.body:
            ordered.setdefault(struct.name, struct)

    visit(message.body, [])
    unused = set(message.structs) - set(ordered)
    if unused:
        raise SchemaError(f"{message.name}: unused structs {sorted(unused)}")
    message.structs = ordered


def inside(version, r):
    return r[0] <= version <= r[1]


def load(folder):
    """All schema files of a folder: list of Parser objects with .api (or None), .messages, .path."""
    return [Parser(p).parse() for p in sorted(pathlib.Path(folder).glob("*.txt"))]
