// What the handlers of one broker share. Made by the server, outlives every request.
#pragma once
#include <string>

#include "broker/catalog.h"
#include "broker/config.h"
#include "broker/partitions.h"
#include "host/env.h"
#include "host/gate.h"

namespace moldau::coordinator {
class Driver;
}

namespace moldau::broker {

struct Node {
  host::Env& env;
  const BrokerConfig& config;
  std::string cluster_id;
  Catalog& catalog;
  Partitions& partitions;
  coordinator::Driver& groups;
  host::Address address;  // where we really listen

  // One change at a time, the partitions with the catalog: a topic is made or deleted as a whole
  // before the next one of that name begins.
  host::Semaphore changes{env.loop, 1};

  // What clients are told to connect to.
  std::string advertised_host() const;
  uint16_t advertised_port() const;
  // Makes the topic and its partitions. Errors: already_exists, and the disk's; then there is no
  // such topic.
  host::Task<Result<Topic>> create_topic(std::string name, int32_t count);
  // __consumer_offsets is there when it returns. Errors: create_topic's.
  host::Task<Result<void>> need_offsets_topic();
  // Errors: not_found, and the disk's: then the topic may be gone with files left behind.
  host::Task<Result<void>> delete_topic(Topic topic);
};

}  // namespace moldau::broker
