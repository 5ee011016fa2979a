// Who a data directory belongs to: Kafka's meta.properties, version 1.
#pragma once
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "host/task.h"

namespace moldau::host {
struct Env;
}

namespace moldau::broker {

struct Identity {
  std::string cluster_id;
  BrokerId node_id;
  Uuid directory_id;
};

// Reads directory/meta.properties; an empty directory gets one with new ids. Errors: invalid
// (another node's, or an unknown version; the text says what to do), corrupt, and the disk's.
host::Task<Result<Identity>> open_identity(host::Env& env, std::string directory, BrokerId node_id);

}  // namespace moldau::broker
