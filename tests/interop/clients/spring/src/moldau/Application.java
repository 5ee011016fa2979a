// A Spring Boot application as people write it: a template that sends to `test`, a listener of the group `testconsume`.
package moldau;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.json.JsonParserFactory;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.SendResult;

@SpringBootApplication
public class Application implements CommandLineRunner {
    private final KafkaTemplate<String, String> template;

    Application(KafkaTemplate<String, String> template) {
        this.template = template;
    }

    public static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
        System.exit(0);
    }

    @KafkaListener(topics = "test", groupId = "testconsume")
    public void listen(String message) {
        say("{\"event\": \"record\", \"value\": \"" + Base64.getEncoder().encodeToString(message.getBytes(StandardCharsets.UTF_8)) + "\"}");
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private void answer(Map<String, Object> ask) throws Exception {
        if ("about".equals(ask.get("do"))) {
            say("{\"client\": \"spring-kafka\", \"version\": \"" + KafkaTemplate.class.getPackage().getImplementationVersion() + " (Spring Boot "
                + SpringBootVersion.getVersion() + ")\"}");
            return;
        }
        String value = new String(Base64.getDecoder().decode((String) ask.get("value")), StandardCharsets.UTF_8);
        SendResult<String, String> done = template.send("test", value).get(30, TimeUnit.SECONDS);
        say("{\"partition\": " + done.getRecordMetadata().partition() + ", \"offset\": " + done.getRecordMetadata().offset() + "}");
    }

    @Override
    public void run(String... arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                answer(JsonParserFactory.getJsonParser().parseMap(line));
                say("{\"done\": true}");
            } catch (Exception error) {
                say("{\"failed\": \"" + error.toString().replace('"', '\'').replace('\n', ' ').replace('\\', '/') + "\"}");
            }
        }
    }
}
