import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

/**
 * Assignments of Kafka's own assignors, for src/coordinator/group/consumer/kafka_assignments.h: groups at random whose members come and go, each
 * step with what the one before has given. A line: assignor; partitions of each topic; members as id/instance/topics/had; what each gets.
 */
public class Assignments {
    static final int TOPICS = 4;
    static final Random random = new Random(848);

    static Uuid topic(int i) {
        return new Uuid(0x1234567L * (i + 1) * 0x9E3779B97F4A7C15L, 0x7654321L * (i + 3) * 0xC2B2AE3D27D4EB4FL);
    }

    static String written(Map<Uuid, Set<Integer>> parts) {
        StringJoiner out = new StringJoiner("+");
        for (int t = 0; t < TOPICS; t++)
            if (parts.containsKey(topic(t)) && !parts.get(topic(t)).isEmpty()) {
                StringJoiner numbers = new StringJoiner(",");
                for (int p : new TreeSet<>(parts.get(topic(t)))) numbers.add("" + p);
                out.add(t + ":" + numbers);
            }
        return out.toString();
    }

    public static void main(String[] arguments) {
        for (int story = 0; story < 32; story++) tell(story % 3 == 0, story % 4 == 1);
    }

    static void tell(boolean range, boolean mixed) {
        int[] partitions = new int[TOPICS];
        for (int t = 0; t < TOPICS; t++) partitions[t] = 1 + random.nextInt(20);
        List<String> members = new ArrayList<>();
        Map<String, String> instances = new HashMap<>();
        Map<String, Set<Integer>> reads = new HashMap<>();
        Map<String, Map<Uuid, Set<Integer>>> had = new HashMap<>();
        Set<Integer> common = new TreeSet<>(List.of(0, 1 + random.nextInt(TOPICS - 1)));
        for (int step = 0; step < 5; step++) {
            int coming = step == 0 ? 1 + random.nextInt(3) : random.nextInt(3);
            for (int i = 0; i < coming; i++) {
                String id = new Uuid(random.nextLong(), random.nextLong()).toString().replace("-", "x").replace("_", "y");
                members.add(id);
                if (random.nextInt(3) == 0) instances.put(id, "i" + random.nextInt(1000));
            }
            if (step > 0 && members.size() > 1 && random.nextBoolean()) had.remove(members.remove(random.nextInt(members.size())));
            if (random.nextInt(3) == 0) partitions[0] += 3;
            if (random.nextInt(4) == 0) common = new TreeSet<>(List.of(0, random.nextInt(TOPICS - 1) + 1));
            for (String m : members) {
                Set<Integer> topics = common;
                if (mixed && (!reads.containsKey(m) || random.nextInt(5) == 0)) {
                    topics = new TreeSet<>();
                    for (int t = 0; t < TOPICS; t++) if (random.nextBoolean()) topics.add(t);
                } else if (mixed) {
                    topics = reads.get(m);
                }
                reads.put(m, topics);
            }
            had = one(range, partitions, members, instances, reads, had);
        }
    }

    static Map<String, Map<Uuid, Set<Integer>>> one(boolean range, int[] partitions, List<String> members, Map<String, String> instances,
                                                    Map<String, Set<Integer>> reads, Map<String, Map<Uuid, Set<Integer>>> had) {
        StringBuilder line = new StringBuilder(range ? "range" : "uniform");
        StringJoiner counts = new StringJoiner(",");
        for (int p : partitions) counts.add("" + p);
        line.append(';').append(counts);
        Map<String, MemberSubscriptionAndAssignmentImpl> spec = new HashMap<>();
        Map<Uuid, Map<Integer, String>> owners = new HashMap<>();
        for (String m : members) {
            Set<Uuid> ids = new HashSet<>();
            StringBuilder topics = new StringBuilder();
            for (int t : reads.get(m)) {
                ids.add(topic(t));
                topics.append(t);
            }
            Map<Uuid, Set<Integer>> mine = had.getOrDefault(m, Map.of());
            mine.forEach((t, ps) -> ps.forEach(p -> owners.computeIfAbsent(t, x -> new HashMap<>()).put(p, m)));
            spec.put(m, new MemberSubscriptionAndAssignmentImpl(Optional.empty(), Optional.ofNullable(instances.get(m)), ids,
                new Assignment(Collections.unmodifiableMap(mine))));
            line.append(';').append(m).append('/').append(instances.getOrDefault(m, "")).append('/').append(topics).append('/').append(written(mine));
        }
        boolean same = new HashSet<>(reads.entrySet().stream().filter(e -> members.contains(e.getKey())).map(Map.Entry::getValue).toList()).size() == 1;
        GroupSpec group = new GroupSpecImpl(spec, same ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS, owners);
        SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
            public int numPartitions(Uuid id) {
                for (int t = 0; t < TOPICS; t++) if (topic(t).equals(id)) return partitions[t];
                return -1;
            }
            public Set<String> racksForPartition(Uuid id, int partition) {
                return Set.of();
            }
        };
        GroupAssignment given = (range ? new RangeAssignor() : new UniformAssignor()).assign(group, describer);
        line.append(";=");
        Map<String, Map<Uuid, Set<Integer>>> out = new HashMap<>();
        StringJoiner results = new StringJoiner("|");
        for (String m : members) {
            Map<Uuid, Set<Integer>> parts = new HashMap<>();
            MemberAssignment assigned = given.members().get(m);
            if (assigned != null) assigned.partitions().forEach((t, ps) -> { if (!ps.isEmpty()) parts.put(t, new HashSet<>(ps)); });
            out.put(m, parts);
            results.add(written(parts));
        }
        System.out.println(line.append(results));
        return out;
    }
}
