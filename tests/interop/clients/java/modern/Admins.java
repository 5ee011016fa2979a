// Administration, with the Admin interface of 2.7 and later.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ConsumerGroupListing;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

final class Admins {
    private final Map<String, Admin> admins = new HashMap<>();

    private Admin admin(JsonNode ask) {
        return admins.computeIfAbsent(ask.get("bootstrap").asText(), address -> {
            Properties config = new Properties();
            config.put("bootstrap.servers", address);
            return Admin.create(config);
        });
    }

    void answer(JsonNode ask) throws Exception {
        Admin admin = admin(ask);
        switch (ask.get("do").asText()) {
            case "list_topics": {
                ObjectNode out = Cell.object();
                ArrayNode list = out.putArray("topics");
                new TreeSet<>(admin.listTopics().names().get()).forEach(list::add);
                Cell.say(out);
                break;
            }
            case "list_groups": {
                ObjectNode out = Cell.object();
                ArrayNode list = out.putArray("groups");
                for (ConsumerGroupListing group : admin.listConsumerGroups().all().get()) {
                    list.add(group.groupId());
                }
                Cell.say(out);
                break;
            }
            case "describe_group": {
                String group = ask.get("group").asText();
                ConsumerGroupDescription found = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
                Cell.say(Cell.object().put("state", found.state().toString()).put("members", found.members().size()));
                break;
            }
            case "delete_group": admin.deleteConsumerGroups(List.of(ask.get("group").asText())).all().get(); break;
            default: answerTopic(admin, ask, ask.path("topic").asText());
        }
    }

    private void answerTopic(Admin admin, JsonNode ask, String topic) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        switch (ask.get("do").asText()) {
            case "create_topic": {
                Map<String, String> configs = new HashMap<>();
                ask.path("configs").fields().forEachRemaining(entry -> configs.put(entry.getKey(), entry.getValue().asText()));
                admin.createTopics(List.of(new NewTopic(topic, ask.get("partitions").asInt(), (short) 1).configs(configs))).all().get();
                break;
            }
            case "delete_topic": admin.deleteTopics(List.of(topic)).all().get(); break;
            case "create_partitions":
                admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(ask.get("total").asInt()))).all().get();
                break;
            case "describe_topic":
                Cell.say(Cell.object().put("partitions", admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size()));
                break;
            case "describe_config":
                Cell.say(Cell.object().put("value", admin.describeConfigs(List.of(resource)).all().get().get(resource)
                    .get(ask.get("key").asText()).value()));
                break;
            case "alter_config":
                admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(
                    new ConfigEntry(ask.get("key").asText(), ask.get("value").asText()), AlterConfigOp.OpType.SET)))).all().get();
                break;
            case "delete_records":
                admin.deleteRecords(Collections.singletonMap(new TopicPartition(topic, ask.get("partition").asInt()),
                    RecordsToDelete.beforeOffset(ask.get("before").asLong()))).all().get();
                break;
            default: throw new Cell.Cannot("no " + ask.get("do").asText() + " in this client");
        }
    }
}
