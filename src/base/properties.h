// Settings as keys and texts, each with the place it came from: Java's .properties files read as
// Java reads them, KAFKA_* variables named as Kafka's container image names them, and what the
// command line adds.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace moldau {

struct Property {
  std::string value;
  std::string
      source;  // for people: "server.properties:12", "environment KAFKA_NODE_ID", "--override"
  bool operator==(const Property&) const = default;
};

class Properties {
 public:
  using Map = std::map<std::string, Property, std::less<>>;

  // What java.util.Properties.load(InputStream) reads: the bytes are ISO 8859-1, the result is
  // UTF-8. The last of several equal keys wins. `name` is what sources begin with. Fails (invalid)
  // only on a broken \uXXXX.
  static Result<Properties> parse(std::string_view text, std::string_view name);

  const Property* find(std::string_view key) const;
  void set(std::string_view key, std::string_view value, std::string_view source);
  // "key=value" as on a command line, split at the first '='. Fails (invalid) without one, or
  // without a key.
  Result<> set_assignment(std::string_view assignment, std::string_view source);
  // One environment variable; false if it names no setting.
  bool set_variable(std::string_view variable, std::string_view value);
  // What later says wins, and its source with it.
  void overlay(const Properties& later);

  // By key, in the order of bytes.
  Map::const_iterator begin() const { return map_.begin(); }
  Map::const_iterator end() const { return map_.end(); }
  size_t size() const { return map_.size(); }
  bool operator==(const Properties&) const = default;

 private:
  Map map_;
};

// The setting that an environment variable names: KAFKA_LOG_DIRS is log.dirs; two underscores are
// one, three are a dash. None for variables without the prefix, and for those that configure the
// JVM or the image.
std::optional<std::string> environment_key(std::string_view variable);

}  // namespace moldau
