import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/** Kafka's own consumers of both protocols against a broker: they come and go, everything that is produced is read once. LiveGroups HOST:PORT */
public class LiveGroups {
    static String address;
    static final Map<String, Integer> seen = new ConcurrentHashMap<>();
    static int produced, failed;

    static class Reader extends Thread {
        final KafkaConsumer<String, String> consumer;
        final AtomicBoolean stop = new AtomicBoolean();
        volatile Set<TopicPartition> has = Set.of();
        volatile Exception fault;
        final String topic;

        Reader(String group, String topic, boolean classic, boolean regex, String instance) {
            Properties p = new Properties();
            p.put("bootstrap.servers", address);
            p.put("group.id", group);
            p.put("group.protocol", classic ? "classic" : "consumer");
            if (classic) {
                p.put("partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
                p.put("heartbeat.interval.ms", "300");
            }
            if (instance != null) p.put("group.instance.id", instance);
            p.put("auto.offset.reset", "earliest");
            p.put("enable.auto.commit", "false");
            p.put("metadata.max.age.ms", "1000");
            this.topic = topic;
            consumer = new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer());
            if (regex) consumer.subscribe(new SubscriptionPattern(topic.substring(0, topic.length() - 1) + "."));
            else consumer.subscribe(List.of(topic));
            setDaemon(true);
            start();
        }

        public void run() {
            try {
                while (!stop.get()) {
                    ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
                    for (ConsumerRecord<String, String> r : records) seen.merge(r.value(), 1, Integer::sum);
                    if (!records.isEmpty()) consumer.commitSync();
                    has = consumer.assignment();
                }
                consumer.close();
            } catch (Exception e) {
                fault = e;
            }
            has = Set.of();
        }

        void leave() throws Exception {
            stop.set(true);
            join(20_000);
        }
    }

    static void check(String what, Callable<Boolean> condition) throws Exception {
        long until = System.nanoTime() + 40_000_000_000L, from = System.nanoTime();
        boolean good = false;
        while (!good && System.nanoTime() < until) {
            good = condition.call();
            if (!good) Thread.sleep(50);
        }
        System.out.printf("%s %s (%.1f s)%n", good ? "PASS" : "FAIL", what, (System.nanoTime() - from) / 1e9);
        if (!good) failed++;
    }

    static boolean shared(int partitions, Reader... readers) {
        Set<TopicPartition> all = new HashSet<>();
        int least = Integer.MAX_VALUE, most = 0, sum = 0;
        for (Reader r : readers) {
            if (r.fault != null) throw new RuntimeException(r.fault);
            all.addAll(r.has);
            sum += r.has.size();
            least = Math.min(least, r.has.size());
            most = Math.max(most, r.has.size());
        }
        return all.size() == partitions && sum == partitions && most - least <= 1;
    }

    static void produce(String topic, int count) throws Exception {
        Properties p = new Properties();
        p.put("bootstrap.servers", address);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(p, new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(topic, "k" + i, "value " + produced++));
        }
    }

    /** So many partitions has the topic now: a broker may not be able to make more of them yet. */
    static int grown(Admin admin, String topic) throws Exception {
        try {
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(8))).all().get();
            return 8;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof org.apache.kafka.common.errors.UnsupportedVersionException) return 6;
            throw e;
        }
    }

    static boolean allOnce() {
        return seen.size() == produced && seen.values().stream().allMatch(n -> n == 1);
    }

    public static void main(String[] arguments) throws Exception {
        address = arguments[0];
        String run = "live" + System.currentTimeMillis() % 1000000, topic = run + "a";
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", address))) {
            admin.createTopics(List.of(new NewTopic(topic, 6, (short) 1))).all().get();
            Reader a = new Reader(run, topic, false, false, null);
            check("one member has everything", () -> shared(6, a));
            produce(topic, 200);
            Reader b = new Reader(run, topic, false, false, null), c = new Reader(run, topic, false, false, null);
            check("three members share", () -> shared(6, a, b, c));
            produce(topic, 200);
            check("all is read once", LiveGroups::allOnce);
            ConsumerGroupDescription d = admin.describeConsumerGroups(List.of(run)).describedGroups().get(run).get();
            check("the group is described: " + d.type() + " " + d.groupState() + " " + d.members().size() + " " + d.partitionAssignor() + " epoch "
                + d.groupEpoch().orElse(-1) + "/" + d.targetAssignmentEpoch().orElse(-1), () -> d.members().size() == 3 && d.type().toString().equals("Consumer"));
            b.leave();
            check("two members share when one has left", () -> shared(6, a, c));
            produce(topic, 200);
            int all = grown(admin, topic);
            check("they see new partitions", () -> shared(all, a, c));
            Reader old = new Reader(run, topic, true, false, null);
            check("a classic member joins them", () -> shared(all, a, c, old));
            produce(topic, 200);
            check("all is read once, also now", LiveGroups::allOnce);
            a.leave();
            c.leave();
            check("the classic one stays alone", () -> shared(all, old));
            ConsumerGroupDescription e = admin.describeConsumerGroups(List.of(run)).describedGroups().get(run).get();
            check("the group is classic again: " + e.type(), () -> e.type().toString().equals("Classic"));
            Reader again = new Reader(run, topic, false, false, "static");
            check("a static consumer joins the classic one", () -> shared(all, old, again));
            old.leave();
            produce(topic, 100);
            check("and stays", () -> shared(all, again));
            check("all is read once, to the end", LiveGroups::allOnce);
            again.leave();
            Reader regex = new Reader(run + "regex", topic, false, true, null);
            check("an expression finds the topic", () -> regex.has.size() == all);
            regex.leave();
        }
        System.exit(failed == 0 ? 0 : 1);
    }
}
