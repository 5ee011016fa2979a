// Who the data directories belong to: Kafka's meta.properties. Version 1 is written; version 0, of
// brokers from before KRaft, is read and brought up to version 1.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "host/task.h"

namespace moldau::host {
struct Env;
}

namespace moldau::broker {

// The file, as its text says it. In version 0 everything may be missing.
struct MetaProperties {
  int version = 1;
  std::string cluster_id;
  std::optional<BrokerId> node_id;
  std::optional<Uuid> directory_id;

  // Errors: invalid (another version, a field that is missing or unreadable); the text names path.
  static Result<MetaProperties> parse(std::string_view text, const std::string& path);
  // Of version 1, complete.
  std::string print() const;
};

struct Identity {
  std::string cluster_id;
  BrokerId node_id;
  std::vector<Uuid> directory_ids;             // in the order of the directories
  std::vector<std::optional<Error>> failures;  // the same: the disk's error, if there was one
};

// Whether one of them has a meta.properties. Errors: the disk's, of the first one.
host::Task<Result<bool>> is_formatted(host::Env& env, std::vector<std::string> directories);

// Reads each directory's meta.properties; one without gets it, with a new directory id and the
// cluster id of the others (a new one if there is none). Errors: invalid (another node's, of two
// clusters, of one directory twice; the text says what to do), corrupt, and the first directory's
// disk errors.
host::Task<Result<Identity>> open_identity(host::Env& env, std::vector<std::string> directories,
                                           BrokerId node_id);

}  // namespace moldau::broker
