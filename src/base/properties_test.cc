#include "base/properties.h"

#include <gtest/gtest.h>

#include "base/properties_java_cases.h"

namespace moldau {
namespace {

TEST(Properties, ReadsWhatJavaReads) {
  EXPECT_GT(kJavaCases.size(), 170u);
  for (const JavaCase& c : kJavaCases) {
    Result<Properties> read = Properties::parse(c.input, "file");
    ASSERT_EQ(read.has_value(), c.expected.has_value()) << c.input;
    if (!read) {
      EXPECT_EQ(read.error().code(), Errc::invalid);
      continue;
    }
    std::vector<std::pair<std::string_view, std::string_view>> got;
    for (const auto& [key, property] : *read) got.emplace_back(key, property.value);
    EXPECT_EQ(got, *c.expected) << c.input;
  }
}

std::string source_of(const Properties& properties, std::string_view key) {
  const Property* property = properties.find(key);
  return property ? property->source : "nowhere";
}

TEST(Properties, KnowsTheLineOfEachKey) {
  std::string_view text =
      "# one\n"
      "a=1\r\n"
      "\r"
      "  b = 2 \\\r\n"
      "      and more\n"
      "\n\n"
      "c=\\\n"
      "\\\n"
      "3\n"
      "!\n"
      "a=4";
  Properties read = Properties::parse(text, "server.properties").value();
  EXPECT_EQ(read.size(), 3u);
  EXPECT_EQ(read.find("a")->value, "4");
  EXPECT_EQ(source_of(read, "a"), "server.properties:12");
  EXPECT_EQ(source_of(read, "b"), "server.properties:4");
  EXPECT_EQ(source_of(read, "c"), "server.properties:8");
  EXPECT_EQ(source_of(read, "d"), "nowhere");
}

TEST(Properties, SaysWhereAnEscapeIsBroken) {
  Error error = Properties::parse("a=1\nb=C:\\users\n", "x.properties").error();
  EXPECT_EQ(error.to_string(),
            "invalid: x.properties:2: \\u wants four hexadecimal digits; a backslash itself is "
            "written \\\\");
}

TEST(Properties, TheLastSourceWins) {
  Properties all = Properties::parse("node.id=1\nlog.dirs=/a\nbroker.rack=r\n", "f").value();
  Properties environment;
  EXPECT_TRUE(environment.set_variable("KAFKA_LOG_DIRS", "/b"));
  EXPECT_TRUE(environment.set_variable("KAFKA_NODE_ID", "2"));
  EXPECT_FALSE(environment.set_variable("HOME", "/root"));
  Properties command_line;
  ASSERT_TRUE(command_line.set_assignment("node.id=3=x", "--override"));
  ASSERT_TRUE(command_line.set_assignment("empty=", "--override"));
  all.overlay(environment);
  all.overlay(command_line);
  EXPECT_EQ(*all.find("broker.rack"), (Property{"r", "f:3"}));
  EXPECT_EQ(*all.find("log.dirs"), (Property{"/b", "environment KAFKA_LOG_DIRS"}));
  EXPECT_EQ(*all.find("node.id"), (Property{"3=x", "--override"}));
  EXPECT_EQ(*all.find("empty"), (Property{"", "--override"}));
}

TEST(Properties, RefusesAnAssignmentWithoutAKey) {
  Properties properties;
  EXPECT_EQ(properties.set_assignment("node.id", "--override").error().to_string(),
            "invalid: --override 'node.id': wanted key=value");
  EXPECT_FALSE(properties.set_assignment("=1", "--override"));
  EXPECT_EQ(properties.size(), 0u);
}

// As kafka.docker.KafkaDockerWrapper of Kafka 4.3.1 prints them.
TEST(EnvironmentKey, IsThatOfTheContainerImage) {
  const std::pair<const char*, const char*> named[] = {
      {"KAFKA_NODE_ID", "node.id"},
      {"KAFKA_ADVERTISED_LISTENERS", "advertised.listeners"},
      {"KAFKA_LISTENER_NAME_X_Y", "listener.name.x.y"},
      {"KAFKA_LOG__DIRS", "log_dirs"},
      {"KAFKA_A___B", "a-b"},
      {"KAFKA_A____B", "a-.b"},
      {"KAFKA_A_____B", "a-_b"},
      {"KAFKA_A______B", "a--b"},
      {"KAFKA__A", ".a"},
      {"KAFKA_A_", "a."},
      {"KAFKA_lower_Case", "lower.case"},
      {"KAFKA_JMX_PORT", "jmx.port"},
  };
  for (const auto& [variable, key] : named) EXPECT_EQ(environment_key(variable), key) << variable;
  for (const char* other :
       {"KAFKA", "KAFKAX_A", "kafka_a", "KAFKA_", "KAFKA_OPTS", "KAFKA_HEAP_OPTS",
        "KAFKA_LOG4J_OPTS", "KAFKA_VERSION", "KAFKA_JMX_OPTS", "KAFKA_LOG4J_LOGGERS",
        "KAFKA_GC_LOG_OPTS", "KAFKA_TOOLS_LOG4J_LOGLEVEL", "KAFKA_JMX_HOSTNAME",
        "KAFKA_LOG4J_ROOT_LOGLEVEL", "KAFKA_JVM_PERFORMANCE_OPTS", ""})
    EXPECT_EQ(environment_key(other), std::nullopt) << other;
}

}  // namespace
}  // namespace moldau
