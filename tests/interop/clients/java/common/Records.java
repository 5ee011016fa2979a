// Producing, consuming, looking up and committing offsets, without a group's membership.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

final class Records {
    void produce(JsonNode ask) throws Exception {
        Properties config = new Properties();
        config.put("bootstrap.servers", ask.get("bootstrap").asText());
        config.put("acks", Cell.text(ask, "acks", "all"));
        config.put("compression.type", Cell.text(ask, "codec", "none"));
        Generation.checkCodec(Cell.text(ask, "codec", "none"));
        config.put("enable.idempotence", Boolean.toString(ask.path("idempotent").asBoolean(false)));
        config.put("linger.ms", "20");
        config.put("max.block.ms", Integer.toString((int) (ask.get("seconds").asDouble() * 1000)));
        if (ask.hasNonNull("limit")) {
            config.put("max.request.size", ask.get("limit").asText());
        }
        Integer partition = ask.hasNonNull("partition") ? ask.get("partition").asInt() : null;
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (JsonNode record : ask.get("records")) {
                Long timestamp = record.hasNonNull("timestamp") ? record.get("timestamp").asLong() : null;
                ProducerRecord<byte[], byte[]> out = new ProducerRecord<>(ask.get("topic").asText(), partition, timestamp,
                    Cell.unpack(record.get("key")), Cell.unpack(record.get("value")));
                for (JsonNode header : record.get("headers")) {
                    out.headers().add(header.get(0).asText(), Cell.unpack(header.get(1)));
                }
                sent.add(producer.send(out));
            }
            producer.flush();
            for (Future<RecordMetadata> future : sent) {
                RecordMetadata where = future.get(30, TimeUnit.SECONDS);
                Cell.say(Cell.object().put("partition", where.partition()).put("offset", where.offset()));
            }
        }
    }

    private static KafkaConsumer<byte[], byte[]> consumer(JsonNode ask, String group) {
        Properties config = new Properties();
        config.put("bootstrap.servers", ask.get("bootstrap").asText());
        config.put("group.id", group);
        config.put("enable.auto.commit", "false");
        config.put("auto.offset.reset", "none");
        config.put("max.partition.fetch.bytes", "8388608");
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static TopicPartition where(JsonNode ask) {
        return new TopicPartition(ask.get("topic").asText(), ask.get("partition").asInt());
    }

    void consume(JsonNode ask) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(ask, "unused")) {
            consumer.assign(Collections.singletonList(where(ask)));
            consumer.seek(where(ask), ask.get("offset").asLong());
            long deadline = System.nanoTime() + (long) (ask.get("seconds").asDouble() * 1e9);
            int count = 0;
            int wanted = ask.get("count").asInt();
            while (count < wanted) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException(count + " of " + wanted + " records came");
                }
                for (ConsumerRecord<byte[], byte[]> record : Generation.poll(consumer, 200)) {
                    if (count++ < wanted) {
                        Cell.say(Cell.described(record));
                    }
                }
            }
        }
    }

    void listOffsets(JsonNode ask) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(ask, "unused")) {
            List<TopicPartition> one = Collections.singletonList(where(ask));
            long offset;
            if (ask.get("at").isNumber()) {
                OffsetAndTimestamp found = consumer.offsetsForTimes(Collections.singletonMap(where(ask), ask.get("at").asLong())).get(where(ask));
                offset = found == null ? -1 : found.offset();
            } else {
                offset = (ask.get("at").asText().equals("earliest") ? consumer.beginningOffsets(one) : consumer.endOffsets(one)).get(where(ask));
            }
            Cell.say(Cell.object().put("offset", offset));
        }
    }

    void commitOffsets(JsonNode ask) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        ask.get("offsets").fields().forEachRemaining(entry -> offsets.put(
            new TopicPartition(ask.get("topic").asText(), Integer.parseInt(entry.getKey())), new OffsetAndMetadata(entry.getValue().asLong())));
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(ask, ask.get("group").asText())) {
            consumer.assign(offsets.keySet());
            consumer.commitSync(offsets);
        }
    }

    void committed(JsonNode ask) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(ask, ask.get("group").asText())) {
            for (JsonNode partition : ask.get("partitions")) {
                OffsetAndMetadata found = Generation.committed(consumer, new TopicPartition(ask.get("topic").asText(), partition.asInt()));
                ObjectNode out = Cell.object().put("partition", partition.asInt());
                Cell.say(found == null ? out.putNull("offset") : out.put("offset", found.offset()));
            }
        }
    }
}
