// What Apache Kafka says of its broker's settings, a line each: name, type, default, what it takes, when it may change.
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.server.config.DynamicBrokerConfig;

public class BrokerKeys {
    public static void main(String[] arguments) throws Exception {
        ConfigDef all = (ConfigDef) Class.forName("kafka.server.KafkaConfig").getMethod("configDef").invoke(null);
        Map<String, String> modes = DynamicBrokerConfig.dynamicConfigUpdateModes();
        for (ConfigDef.ConfigKey key : new TreeMap<>(all.configKeys()).values()) {
            String standard = !key.hasDefault() ? "(required)" : key.defaultValue == null ? "(null)" : text(key);
            String takes = key.validator == null ? "" : key.validator.toString();
            System.out.println(String.join("\t", key.name, key.type.name(), standard, takes, modes.getOrDefault(key.name, "read-only")));
        }
    }

    private static String text(ConfigDef.ConfigKey key) {
        return ConfigDef.convertToString(key.defaultValue, key.type);
    }
}
