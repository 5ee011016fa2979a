// What differs between releases of the client: these calls are those of 2.4 and later.
import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Collections;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

final class Generation {
    private Generation() {
    }

    static void checkCodec(String codec) {
    }

    static ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> consumer, long milliseconds) {
        return consumer.poll(Duration.ofMillis(milliseconds));
    }

    static OffsetAndMetadata committed(KafkaConsumer<byte[], byte[]> consumer, TopicPartition partition) {
        return consumer.committed(Collections.singleton(partition)).get(partition);
    }

    static void addGroup(Properties config, JsonNode ask) {
        if (Cell.text(ask, "protocol", "classic").equals("consumer")) {
            config.put("group.protocol", "consumer");
        } else {
            config.put("session.timeout.ms", "10000");
            config.put("heartbeat.interval.ms", "500");
        }
        if (ask.hasNonNull("instance")) {
            config.put("group.instance.id", ask.get("instance").asText());
        }
    }
}
