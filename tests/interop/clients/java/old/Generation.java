// What differs between releases of the client: these calls are those of 0.11.
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

final class Generation {
    private Generation() {
    }

    static void checkCodec(String codec) {
        if (codec.equals("zstd")) {
            throw new Cell.Cannot("zstd came with 2.1");
        }
    }

    static ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> consumer, long milliseconds) {
        return consumer.poll(milliseconds);
    }

    static OffsetAndMetadata committed(KafkaConsumer<byte[], byte[]> consumer, TopicPartition partition) {
        return consumer.committed(partition);
    }

    static void addGroup(Properties config, JsonNode ask) {
        if (Cell.text(ask, "protocol", "classic").equals("consumer")) {
            throw new Cell.Cannot("the consumer protocol came with 3.7");
        }
        if (ask.hasNonNull("instance")) {
            throw new Cell.Cannot("static members came with 2.3");
        }
        config.put("session.timeout.ms", "10000");
        config.put("heartbeat.interval.ms", "500");
    }
}
