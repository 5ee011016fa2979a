// What the handlers of one broker share. Made by the server, outlives every request.
#pragma once
#include <string>

#include "broker/catalog.h"
#include "broker/config.h"
#include "broker/partitions.h"
#include "broker/replica_places.h"
#include "broker/topic_config.h"
#include "host/env.h"
#include "host/gate.h"

namespace moldau::coordinator {
class Driver;
}

namespace moldau::broker {

class Kraft;
struct Services;

struct Node {
  host::Env& env;
  const BrokerConfig& config;
  std::string cluster_id;
  Catalog& catalog;
  Partitions& partitions;
  coordinator::Driver& groups;
  Kraft& kraft;
  Services& services;
  host::Address address;  // where we really listen

  DirectoryIds directory_ids = {};  // of those that take partitions
  int64_t broker_epoch = -1;        // of our registration

  // One change at a time, the partitions with the catalog: a topic is made or deleted as a whole
  // before the next one of that name begins.
  host::Semaphore changes{env.loop, 1};

  // What clients are told to connect to.
  std::string advertised_host() const;
  uint16_t advertised_port() const;
  // Settings that the cluster has for all brokers.
  ConfigMap shared_configs() const;
  // Makes the topic and its partitions. An internal one for which nothing is said gets its usual
  // settings. Errors: already_exists, and the disk's; then there is no such topic.
  host::Task<Result<Topic>> create_topic(std::string name, int32_t count, ConfigMap configs);
  // The controller hears where our replicas lie, of one topic or of all (zero), if it does not
  // know. What goes wrong is said again at the next start.
  host::Task<void> tell_places(Uuid topic);
  // __consumer_offsets is there when it returns. Errors: create_topic's.
  host::Task<Result<void>> need_offsets_topic();
  // The settings of a topic, all changes or none; with validate_only it only looks whether it
  // could. Returns why not. Errors: not_found, and the disk's.
  host::Task<Result<ConfigFault>> alter_topic(std::string name, std::vector<ConfigChange> wanted,
                                              bool replace_all, bool validate_only);
  // Gives the topic more partitions. Errors: already_exists (it is not as `before` any more), and
  // the disk's; then it has as many as it had.
  host::Task<Result<void>> add_partitions(Topic before, int32_t count);
  // Errors: not_found, and the disk's: then the topic may be gone with files left behind.
  host::Task<Result<void>> delete_topic(Topic topic);
};

}  // namespace moldau::broker
