// Prints messages encoded by Kafka's own classes, one a line: name, version, hex, JSON (or - with unknown tags).
// Messages are random but the same in each run. They are made as JSON from the schema inside the jar, turned into
// the generated class by its converter, and written by it.
//
//   java -cp "CLASSES:KAFKA_LIBS/*" GoldenMessages WHICH NAME...   (make-golden beside this runs it)
//
// WHICH: "all" for every version; "removed:FILE" leaves out the pairs that FILE already has.
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.RawTaggedField;

public class GoldenMessages {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final String[] WORDS = {"", "a", "topic-1", "größe", "日本語", "x".repeat(130)};

    private final Random random;
    private final short version;
    private final Map<String, JsonNode> structs = new HashMap<>();

    private GoldenMessages(JsonNode schema, short version, long seed) {
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

    private static String hex(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) {
            throw new IllegalStateException("size() and write() disagree");
        }
        StringBuilder out = new StringBuilder();
        for (byte b : buffer.array()) {
            out.append(String.format("%02x", b));
        }
        return out.toString();
    }

    private static void print(String name, JsonNode schema, Set<String> have) throws Exception {
        // Headers are called RequestHeader and their class RequestHeaderData, as with all others.
        Class<?> converter = Class.forName("org.apache.kafka.common.message." + name + "DataJsonConverter");
        Class<?> data = Class.forName("org.apache.kafka.common.message." + name + "Data");
        Message any = (Message) data.getConstructor().newInstance();
        for (short v = any.lowestSupportedVersion(); v <= any.highestSupportedVersion(); v++) {
            if (have.contains(name + " " + v)) {
                continue;
            }
            boolean flexible = inRange(schema.path("flexibleVersions"), v);
            for (int round = 0; round < (flexible ? 3 : 2); round++) {
                long seed = (name.hashCode() * 1000L + v) * 10 + round;
                JsonNode json = new GoldenMessages(schema, v, seed).struct(schema.get("fields"));
                Message message = (Message) converter.getMethod("read", JsonNode.class, short.class).invoke(null, json, v);
                Object shown = converter.getMethod("write", data, short.class, boolean.class).invoke(null, message, v, false);
                if (round == 2) {
                    message.unknownTaggedFields().add(new RawTaggedField(77, new byte[] {1, 2, 3}));
                    message.unknownTaggedFields().add(new RawTaggedField(70000, new byte[0]));
                    shown = "-";
                }
                String hex = hex(message, v);
                System.out.println(name + " " + v + " " + (hex.isEmpty() ? "-" : hex) + " " + shown);
            }
        }
    }

    public static void main(String[] args) throws Exception {
        JsonMapper mapper = JsonMapper.builder()
            .enable(JsonParser.Feature.ALLOW_COMMENTS)
            .enable(JsonReadFeature.ALLOW_TRAILING_COMMA)
            .build();
        Set<String> have = new HashSet<>();
        if (args[0].startsWith("removed:")) {
            for (String line : Files.readAllLines(Path.of(args[0].substring("removed:".length())))) {
                String[] words = line.split(" ", 3);
                have.add(words[0] + " " + words[1]);
            }
        }
        for (int i = 1; i < args.length; i++) {
            try (InputStream in = GoldenMessages.class.getResourceAsStream("/common/message/" + args[i] + ".json")) {
                print(args[i], mapper.readTree(in), have);
            }
        }
    }
}
