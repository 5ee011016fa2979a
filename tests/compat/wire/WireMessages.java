// Drives Kafka's own message classes against ours (tests/compat/wire.py), and prints golden bytes (make-golden beside
// this). Messages are random but the same in each run. They are made as JSON from the schema inside the jar, turned into
// the generated class by its converter, and written by it.
//
//   java -cp "CLASSES:JARS/*" WireMessages make PAIRS FILE ROUNDS    frames of every pair (name, version) of PAIRS that
//                                                                    this release has; prints those pairs
//   java -cp ... WireMessages check FILE PAIRS                       reads frames that we made, writes them again: must
//                                                                    be the same bytes; prints those of PAIRS that were
//   java -cp ... WireMessages golden HAVE NAME...                    one a line: name, version, hex, JSON (or - with
//                                                                    unknown tags); leaves out the pairs of file HAVE
//
// A frame: length and bytes of the name, version, length and bytes of the message (int16, int16, int32).
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.File;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.RawTaggedField;

public class WireMessages {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final String[] WORDS = {"", "a", "topic-1", "größe", "日本語", "x".repeat(130)};

    private final Random random;
    private final short version;
    private final Map<String, JsonNode> structs = new HashMap<>();

    private WireMessages(JsonNode schema, short version, long seed) {
        this.version = version;
        this.random = new Random(seed);
        for (JsonNode struct : schema.path("commonStructs")) {
            structs.put(struct.get("name").asText(), struct.get("fields"));
        }
    }

    private static boolean inRange(JsonNode range, short version) {
        String text = range.asText("none");
        if (text.equals("none") || text.isEmpty()) {
            return false;
        }
        if (text.endsWith("+")) {
            return version >= Short.parseShort(text.substring(0, text.length() - 1));
        }
        String[] ends = text.split("-");
        return version >= Short.parseShort(ends[0]) && version <= Short.parseShort(ends[ends.length - 1]);
    }

    private ObjectNode struct(JsonNode fields) {
        ObjectNode node = NODES.objectNode();
        for (JsonNode field : fields) {
            JsonNode versions = field.has("versions") ? field.get("versions") : field.get("taggedVersions");
            if (!inRange(versions, version)) {
                continue;
            }
            boolean tagged = field.has("tag") && inRange(field.get("taggedVersions"), version);
            if (tagged && random.nextInt(3) == 0) {
                continue;
            }
            String name = field.get("name").asText();
            name = Character.toLowerCase(name.charAt(0)) + name.substring(1);
            node.set(name, value(field));
        }
        return node;
    }

    private JsonNode value(JsonNode field) {
        if (inRange(field.path("nullableVersions"), version) && random.nextInt(4) == 0) {
            return NODES.nullNode();
        }
        String type = field.get("type").asText();
        if (!type.startsWith("[]")) {
            return element(type, field);
        }
        ArrayNode array = NODES.arrayNode();
        for (int n = random.nextInt(3); n > 0; n--) {
            array.add(element(type.substring(2), field));
        }
        return array;
    }

    private JsonNode element(String type, JsonNode field) {
        long number = random.nextLong() >> random.nextInt(64);
        switch (type) {
            case "bool": return NODES.booleanNode(random.nextBoolean());
            case "int8": return NODES.numberNode((byte) number);
            case "int16": return NODES.numberNode((short) number);
            case "uint16": return NODES.numberNode((int) number & 0xffff);
            case "int32": return NODES.numberNode((int) number);
            case "uint32": return NODES.numberNode(number & 0xffffffffL);
            case "int64": return NODES.numberNode(number);
            case "float64": return NODES.numberNode((double) number / 8);
            case "string": return NODES.textNode(WORDS[random.nextInt(WORDS.length)]);
            case "uuid": return NODES.textNode(new Uuid(random.nextLong(), random.nextLong()).toString());
            case "bytes":
            case "records": {
                byte[] bytes = new byte[random.nextInt(20)];
                random.nextBytes(bytes);
                return NODES.binaryNode(bytes);
            }
            default:
                return struct(field.has("fields") ? field.get("fields") : structs.get(type));
        }
    }

    private static byte[] bytes(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) {
            throw new IllegalStateException("size() and write() disagree");
        }
        return buffer.array();
    }

    private static String hex(byte[] bytes) {
        StringBuilder out = new StringBuilder();
        for (byte b : bytes) {
            out.append(String.format("%02x", b));
        }
        return out.toString();
    }

    // One of Kafka's messages: its schema and the class that was generated of it.
    private record Kind(String name, JsonNode schema, Class<?> data) {
        Message empty() throws Exception {
            return (Message) data.getConstructor().newInstance();
        }

        boolean flexible(short version) {
            return inRange(schema.path("flexibleVersions"), version);
        }

        // In 3.9 the version of a key of an internal topic is what later releases call its id.
        short own(short version) throws Exception {
            Message any = empty();
            boolean numbered = name.endsWith("Key") && version == 0 && any.lowestSupportedVersion() == any.highestSupportedVersion();
            return numbered ? any.lowestSupportedVersion() : version;
        }

        boolean has(short version) throws Exception {
            Message any = empty();
            return any.lowestSupportedVersion() <= version && version <= any.highestSupportedVersion();
        }

        JsonNode randomJson(short version, int round) {
            long seed = (name.hashCode() * 1000L + version) * 10 + round;
            return new WireMessages(schema, version, seed).struct(schema.get("fields"));
        }

        Message of(JsonNode json, short version) throws Exception {
            Class<?> converter;
            try {
                converter = Class.forName(data.getName() + "JsonConverter");
            } catch (ClassNotFoundException none) {
                return (Message) set(empty(), data, json);
            }
            return (Message) converter.getMethod("read", JsonNode.class, short.class).invoke(null, json, version);
        }
    }

    // What the converter does, for the one message that has none (of Streams).
    private static Object set(Object made, Class<?> outer, JsonNode json) throws Exception {
        for (Method setter : made.getClass().getMethods()) {
            String name = setter.getName();
            if (!name.startsWith("set") || setter.getParameterCount() != 1) {
                continue;
            }
            JsonNode value = json.get(Character.toLowerCase(name.charAt(3)) + name.substring(4));
            if (value != null) {
                Class<?> type = setter.getParameterTypes()[0];
                Object item = null;
                if (type == List.class) {
                    String generic = setter.getGenericParameterTypes()[0].getTypeName();
                    item = Class.forName(generic.substring(generic.indexOf('<') + 1, generic.length() - 1));
                }
                setter.invoke(made, plain(value, type, (Class<?>) item, outer));
            }
        }
        return made;
    }

    private static Object plain(JsonNode value, Class<?> type, Class<?> item, Class<?> outer) throws Exception {
        if (value.isNull()) {
            return null;
        }
        if (type == List.class) {
            List<Object> list = new ArrayList<>();
            for (JsonNode one : value) {
                list.add(plain(one, item, null, outer));
            }
            return list;
        }
        if (type == int.class || type == Integer.class) return value.intValue();
        if (type == long.class || type == Long.class) return value.longValue();
        if (type == short.class) return value.shortValue();
        if (type == byte.class) return value.numberValue().byteValue();
        if (type == boolean.class) return value.booleanValue();
        if (type == String.class) return value.textValue();
        if (type == byte[].class) return value.binaryValue();
        if (type == Uuid.class) return Uuid.fromString(value.textValue());
        return set(type.getConstructor().newInstance(), outer, value);
    }

    // Every message of the jars on the class path.
    private static Map<String, Kind> kinds() throws Exception {
        JsonMapper mapper = JsonMapper.builder()
            .enable(JsonParser.Feature.ALLOW_COMMENTS)
            .enable(JsonReadFeature.ALLOW_TRAILING_COMMA)
            .build();
        Map<String, JsonNode> schemas = new HashMap<>();
        Map<String, Class<?>> classes = new HashMap<>();
        for (String path : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!new File(path).getName().matches("kafka.*[.]jar")) {
                continue;
            }
            try (JarFile jar = new JarFile(path)) {
                for (JarEntry entry : (Iterable<JarEntry>) jar.stream()::iterator) {
                    String name = entry.getName();
                    if (name.matches("(common/)?(message|metadata)/[A-Za-z0-9]+[.]json")) {
                        JsonNode schema = mapper.readTree(jar.getInputStream(entry));
                        schemas.put(schema.get("name").asText(), schema);
                    } else if (name.matches("org/apache/kafka/(.*/generated|common/message|common/metadata)/[A-Za-z0-9]+[.]class")) {
                        String full = name.substring(0, name.length() - 6).replace('/', '.');
                        classes.put(full.substring(full.lastIndexOf('.') + 1), Class.forName(full, false, WireMessages.class.getClassLoader()));
                    }
                }
            }
        }
        Map<String, Kind> kinds = new HashMap<>();
        schemas.forEach((name, schema) -> {
            // Headers, requests and responses have "Data" behind their names; a name that ends so itself has not.
            Class<?> data = classes.getOrDefault(name + "Data", classes.get(name));
            if (data != null && Message.class.isAssignableFrom(data) && !schema.get("validVersions").asText().equals("none")) {
                kinds.put(name, new Kind(name, schema, data));
            }
        });
        return kinds;
    }

    private static void golden(Kind kind, Set<String> have) throws Exception {
        Message any = kind.empty();
        for (short v = any.lowestSupportedVersion(); v <= any.highestSupportedVersion(); v++) {
            if (have.contains(kind.name() + " " + v)) {
                continue;
            }
            Class<?> converter = Class.forName(kind.data().getName() + "JsonConverter");
            for (int round = 0; round < (kind.flexible(v) ? 3 : 2); round++) {
                Message message = kind.of(kind.randomJson(v, round), v);
                Object shown = converter.getMethod("write", kind.data(), short.class, boolean.class).invoke(null, message, v, false);
                if (round == 2) {
                    addUnknownTags(message);
                    shown = "-";
                }
                String hex = hex(bytes(message, v));
                System.out.println(kind.name() + " " + v + " " + (hex.isEmpty() ? "-" : hex) + " " + shown);
            }
        }
    }

    private static void addUnknownTags(Message message) {
        message.unknownTaggedFields().add(new RawTaggedField(77, new byte[] {1, 2, 3}));
        message.unknownTaggedFields().add(new RawTaggedField(70000, new byte[0]));
    }

    private static void make(Map<String, Kind> kinds, List<String> pairs, Path file, int rounds) throws Exception {
        try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            for (String pair : pairs) {
                String[] words = pair.split(" ");
                Kind kind = kinds.get(words[0]);
                short version = Short.parseShort(words[1]);
                if (kind == null || !kind.has(kind.own(version))) {
                    continue;
                }
                short own = kind.own(version);
                for (int round = 0; round < rounds; round++) {
                    Message message = kind.of(kind.randomJson(own, round), own);
                    if (round % 3 == 2 && kind.flexible(own)) {
                        addUnknownTags(message);
                    }
                    byte[] name = words[0].getBytes();
                    byte[] bytes = bytes(message, own);
                    out.writeShort(name.length);
                    out.write(name);
                    out.writeShort(version);
                    out.writeInt(bytes.length);
                    out.write(bytes);
                }
                System.out.println(pair);
            }
        }
    }

    private static void check(Map<String, Kind> kinds, Path file, Set<String> wanted) throws Exception {
        Set<String> good = new TreeSet<>();
        Set<String> bad = new TreeSet<>();
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            while (true) {
                byte[] name;
                try {
                    name = new byte[in.readShort()];
                } catch (EOFException end) {
                    break;
                }
                in.readFully(name);
                short version = in.readShort();
                byte[] bytes = new byte[in.readInt()];
                in.readFully(bytes);
                Kind kind = kinds.get(new String(name));
                String pair = new String(name) + " " + version;
                if (kind == null || !kind.has(kind.own(version)) || !wanted.contains(pair)) {
                    continue;
                }
                String wrong = difference(kind, kind.own(version), bytes);
                (wrong == null ? good : bad).add(pair);
                if (wrong != null) {
                    System.err.println(pair + ": " + wrong + ": " + hex(bytes));
                }
            }
        }
        good.removeAll(bad);
        good.forEach(System.out::println);
        if (!bad.isEmpty()) {
            System.exit(1);
        }
    }

    private static String difference(Kind kind, short version, byte[] bytes) throws Exception {
        Message message = kind.empty();
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        try {
            message.read(new ByteBufferAccessor(buffer), version);
        } catch (RuntimeException e) {
            return "Kafka cannot read it: " + e;
        }
        if (buffer.hasRemaining()) {
            return "Kafka leaves " + buffer.remaining() + " bytes";
        }
        byte[] again = bytes(message, version);
        return Arrays.equals(again, bytes) ? null : "Kafka writes " + hex(again);
    }

    public static void main(String[] args) throws Exception {
        Map<String, Kind> kinds = kinds();
        switch (args[0]) {
            case "make": {
                make(kinds, Files.readAllLines(Path.of(args[1])), Path.of(args[2]), Integer.parseInt(args[3]));
                break;
            }
            case "check": {
                check(kinds, Path.of(args[1]), new HashSet<>(Files.readAllLines(Path.of(args[2]))));
                break;
            }
            case "golden": {
                Set<String> have = new HashSet<>();
                for (String line : Files.readAllLines(Path.of(args[1]))) {
                    String[] words = line.split(" ", 3);
                    have.add(words[0] + " " + words[1]);
                }
                for (int i = 2; i < args.length; i++) {
                    golden(kinds.get(args[i]), have);
                }
                break;
            }
            default:
                throw new IllegalArgumentException(args[0]);
        }
    }
}
