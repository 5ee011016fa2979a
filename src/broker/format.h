// What makes a directory a data directory of a cluster: meta.properties, and what a new cluster
// begins with. `moldau storage format` does it, and a first start on empty directories.
#pragma once
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "host/task.h"
#include "metadata/resources.h"
#include "raft/types.h"

namespace moldau::host {
struct Env;
}

namespace moldau::broker {

struct FormatPlan {
  std::string cluster_id;
  BrokerId node_id;
  metadata::Features features;  // levels of a new cluster
  std::string metadata_dir;     // the one of the directories that gets the metadata log
  // The metadata directory is a quorum of its own, that others may join (KIP-853).
  bool standalone = false;
  std::vector<raft::Endpoint> controller_endpoints = {};  // then
};

// Makes it if it is missing. meta.properties comes last: with it the directory is formatted. plan
// outlives the task. Errors: the disk's.
host::Task<Result<void>> format_directory(host::Env& env, std::string directory,
                                          const FormatPlan& plan);

// The levels of a new cluster as a formatted directory says them; what is usual if it does not.
// Errors: those of a snapshot that cannot be read, and the disk's.
host::Task<Result<metadata::Features>> read_bootstrap(host::Env& env, std::string directory);

}  // namespace moldau::broker
