// What Apache Kafka says of its broker's settings and of its topics', a line each: name, type, default, what it takes, when it may change or what
// it goes by, whether it is internal.
import java.lang.reflect.Field;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.server.config.ConfigSynonym;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;

public class BrokerKeys {
    public static void main(String[] arguments) throws Exception {
        ConfigDef all = (ConfigDef) Class.forName("kafka.server.KafkaConfig").getMethod("configDef").invoke(null);
        Map<String, String> modes = DynamicBrokerConfig.dynamicConfigUpdateModes();
        for (ConfigDef.ConfigKey key : new TreeMap<>(all.configKeys()).values())
            tell("broker", key, modes.getOrDefault(key.name, "read-only"));
        Field topics = Class.forName("org.apache.kafka.storage.internals.log.LogConfig").getDeclaredField("CONFIG");
        topics.setAccessible(true);
        for (ConfigDef.ConfigKey key : new TreeMap<>(((ConfigDef) topics.get(null)).configKeys()).values()) {
            List<ConfigSynonym> synonyms = ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.getOrDefault(key.name, List.of());
            tell("topic", key, synonyms.stream().map(ConfigSynonym::name).collect(Collectors.joining(",")));
        }
    }

    private static void tell(String of, ConfigDef.ConfigKey key, String more) {
        String standard = !key.hasDefault() ? "(required)" : key.defaultValue == null ? "(null)" : text(key);
        String takes = key.validator == null ? "" : key.validator.toString();
        System.out.println(String.join("\t", of + " " + key.name, key.type.name(), standard, takes, more, key.internalConfig ? "internal" : ""));
    }

    private static String text(ConfigDef.ConfigKey key) {
        return ConfigDef.convertToString(key.defaultValue, key.type);
    }
}
