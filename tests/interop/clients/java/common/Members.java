// One member of a group: a thread that polls, says what it is assigned and what it reads, until it is told to leave.
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collections;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

final class Members {
    private volatile boolean leaving;
    private volatile CompletableFuture<Void> commit;
    private Thread thread;

    void join(JsonNode ask) {
        Properties config = new Properties();
        config.put("bootstrap.servers", ask.get("bootstrap").asText());
        config.put("group.id", ask.get("group").asText());
        config.put("enable.auto.commit", "false");
        config.put("auto.offset.reset", Cell.text(ask, "reset", "earliest"));
        config.put("metadata.max.age.ms", "2000");
        config.put("fetch.max.wait.ms", "100");
        Generation.addGroup(config, ask);
        KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        consumer.subscribe(Collections.singletonList(ask.get("topic").asText()));
        leaving = false;
        thread = new Thread(() -> poll(consumer), "member");
        thread.setDaemon(true);
        thread.start();
    }

    private void poll(KafkaConsumer<byte[], byte[]> consumer) {
        Set<Integer> owned = null;
        try {
            while (!leaving) {
                Iterable<ConsumerRecord<byte[], byte[]>> records = Generation.poll(consumer, 100);
                Set<Integer> now = new TreeSet<>();
                for (TopicPartition partition : consumer.assignment()) {
                    now.add(partition.partition());
                }
                if (!now.equals(owned)) {
                    Cell.sayAssigned(now);
                    owned = now;
                }
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    Cell.say(Cell.described(record).put("event", "record"));
                }
                CompletableFuture<Void> asked = commit;
                if (asked != null) {
                    commit = null;
                    try {
                        consumer.commitSync();
                        asked.complete(null);
                    } catch (RuntimeException error) {
                        asked.completeExceptionally(error);
                    }
                }
            }
        } catch (RuntimeException error) {
            Cell.say(Cell.object().put("event", "error").put("text", error.toString()));
        } finally {
            consumer.close();
        }
    }

    void commit() throws Exception {
        CompletableFuture<Void> asked = new CompletableFuture<>();
        commit = asked;
        asked.get(30, TimeUnit.SECONDS);
    }

    void leave() throws Exception {
        leaving = true;
        thread.join();
    }
}
