// What topics there are. The broker sees only this interface; the cluster's metadata stands behind
// it (metadata_catalog.h).
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "host/task.h"

namespace moldau::broker {

struct Topic {
  std::string name;
  Uuid id;
  int32_t partitions = 1;
  std::map<std::string, std::string> configs;  // its own, by Kafka's names (topic_config.h)
  bool operator==(const Topic&) const = default;
};

// All topics at one moment, by name. Immutable: whoever holds it sees one state of the world.
class Topics {
 public:
  Topics() = default;
  explicit Topics(std::vector<Topic> topics);
  const Topic* find(std::string_view name) const;
  const Topic* find(const Uuid& id) const;
  const std::vector<Topic>& all() const { return topics_; }  // sorted by name

 private:
  std::vector<Topic> topics_;
  std::vector<std::pair<Uuid, size_t>> by_id_;  // sorted by id
};

class Catalog {
 public:
  virtual ~Catalog() = default;
  virtual std::shared_ptr<const Topics> topics() const = 0;  // from any loop
  // Errors: already_exists, and the disk's. The topic is there for good once it returns.
  virtual host::Task<Result<void>> create(Topic topic) = 0;
  // In the place of the topic with that id. Errors: not_found, and the disk's.
  virtual host::Task<Result<void>> replace(Topic topic) = 0;
  // Errors: not_found, and the disk's.
  virtual host::Task<Result<void>> remove(std::string name) = 0;
  // An id that was never given before and never will be again, also after a crash.
  virtual host::Task<Result<ProducerId>> next_producer_id() = 0;
};

// nullptr if Kafka allows the name; else the end of the sentence that says why not.
const char* topic_name_fault(std::string_view name);
// The whole sentence, in Kafka's words.
std::string topic_name_message(std::string_view name, const char* fault);
// '.' and '_' are the same in metric names: the existing topic that collides with a new name, or
// nullptr.
const Topic* colliding_topic(const Topics& topics, std::string_view name);

}  // namespace moldau::broker
