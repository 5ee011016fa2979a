// `moldau storage`: what kafka-storage.sh does. It formats data directories, and says what is in
// them.
#pragma once
#include <string>
#include <vector>

namespace moldau::app {

struct StorageOptions {
  std::string config;      // server.properties
  std::string cluster_id;  // format
  std::string release;  // a level of metadata.version, "4.3-IV0", or a release, "4.3"; empty: ours
  std::vector<std::string> features;  // name=level
  bool ignore_formatted = false;
  bool standalone = false;              // a quorum of its own, that others may join (KIP-853)
  bool no_initial_controllers = false;  // the quorum is told by others
};

// Each returns the exit code, Kafka's.
int run_storage_format(const StorageOptions& options);
int run_storage_info(const StorageOptions& options);
int run_storage_random_uuid();
int run_storage_version_mapping(const StorageOptions& options);

}  // namespace moldau::app
