// Administration with the first AdminClient, that of 0.11: topics and their settings, nothing of groups yet.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;

final class Admins {
    private final Map<String, AdminClient> admins = new HashMap<>();

    private AdminClient admin(JsonNode ask) {
        return admins.computeIfAbsent(ask.get("bootstrap").asText(), address -> {
            Properties config = new Properties();
            config.put("bootstrap.servers", address);
            return AdminClient.create(config);
        });
    }

    void answer(JsonNode ask) throws Exception {
        AdminClient admin = admin(ask);
        String topic = ask.path("topic").asText();
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        switch (ask.get("do").asText()) {
            case "list_topics": {
                ObjectNode out = Cell.object();
                ArrayNode list = out.putArray("topics");
                new TreeSet<>(admin.listTopics().names().get()).forEach(list::add);
                Cell.say(out);
                break;
            }
            case "create_topic": {
                Map<String, String> configs = new HashMap<>();
                ask.path("configs").fields().forEachRemaining(entry -> configs.put(entry.getKey(), entry.getValue().asText()));
                admin.createTopics(Collections.singleton(new NewTopic(topic, ask.get("partitions").asInt(), (short) 1).configs(configs))).all().get();
                break;
            }
            case "delete_topic": admin.deleteTopics(Collections.singleton(topic)).all().get(); break;
            case "describe_topic":
                Cell.say(Cell.object().put("partitions",
                    admin.describeTopics(Collections.singleton(topic)).all().get().get(topic).partitions().size()));
                break;
            case "describe_config":
                Cell.say(Cell.object().put("value", admin.describeConfigs(Collections.singleton(resource)).all().get().get(resource)
                    .get(ask.get("key").asText()).value()));
                break;
            case "alter_config":
                admin.alterConfigs(Collections.singletonMap(resource, new Config(Collections.singleton(
                    new ConfigEntry(ask.get("key").asText(), ask.get("value").asText()))))).all().get();
                break;
            default: throw new Cell.Cannot("no " + ask.get("do").asText() + " in this client");
        }
    }
}
