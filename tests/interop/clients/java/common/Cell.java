// The official Java client behind the questions of ../../README.md; compiled once for each release of the client.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collection;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.AppInfoParser;

public final class Cell {
    static final ObjectMapper JSON = new ObjectMapper();

    /** The client has no such feature. */
    static final class Cannot extends RuntimeException {
        Cannot(String why) {
            super(why);
        }
    }

    /** An error for which the client named Kafka's code in a way of its own. */
    static final class Coded extends RuntimeException {
        final int code;

        Coded(int code, String text) {
            super(text);
            this.code = code;
        }
    }

    static ObjectNode object() {
        return JSON.createObjectNode();
    }

    static synchronized void say(ObjectNode what) {
        System.out.println(what);
        System.out.flush();
    }

    static byte[] unpack(JsonNode text) {
        return text == null || text.isNull() ? null : Base64.getDecoder().decode(text.asText());
    }

    static String pack(byte[] value) {
        return value == null ? null : Base64.getEncoder().encodeToString(value);
    }

    static ObjectNode described(ConsumerRecord<byte[], byte[]> record) {
        ObjectNode out = object().put("partition", record.partition()).put("offset", record.offset()).put("timestamp", record.timestamp())
            .put("key", pack(record.key())).put("value", pack(record.value()));
        ArrayNode headers = out.putArray("headers");
        for (Header header : record.headers()) {
            headers.addArray().add(header.key()).add(pack(header.value()));
        }
        return out;
    }

    static void sayAssigned(Collection<Integer> partitions) {
        ObjectNode out = object().put("event", "assigned");
        ArrayNode list = out.putArray("partitions");
        partitions.stream().sorted().forEach(list::add);
        say(out);
    }

    static String text(JsonNode ask, String field, String otherwise) {
        return ask.hasNonNull(field) ? ask.get(field).asText() : otherwise;
    }

    private static void answer(JsonNode ask, Records records, Members members, Admins admins) throws Exception {
        switch (ask.get("do").asText()) {
            case "about":
                say(object().put("client", "kafka-clients").put("version", AppInfoParser.getVersion()));
                break;
            case "produce": records.produce(ask); break;
            case "consume": records.consume(ask); break;
            case "list_offsets": records.listOffsets(ask); break;
            case "commit_offsets": records.commitOffsets(ask); break;
            case "committed": records.committed(ask); break;
            case "member": members.join(ask); break;
            case "commit": members.commit(); break;
            case "leave": members.leave(); break;
            default: admins.answer(ask);
        }
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Records records = new Records();
        Members members = new Members();
        Admins admins = new Admins();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                answer(JSON.readTree(line), records, members, admins);
                say(object().put("done", true));
            } catch (Cannot error) {
                say(object().put("cannot", error.getMessage()));
            } catch (Coded error) {
                say(object().put("failed", error.getMessage()).put("code", error.code));
            } catch (Exception error) {
                Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
                ObjectNode out = object().put("failed", cause.toString());
                Errors code = Errors.forException(cause);
                if (code.code() != -1 && code != Errors.REQUEST_TIMED_OUT) {
                    out.put("code", code.code());
                } else if (cause.getClass().getSimpleName().equals("OffsetOutOfRangeException")) {
                    out.put("code", 1);     // the consumer's class of this name is not the protocol's
                }
                say(out);
            }
        }
        System.exit(0);
    }
}
