// What the handlers of one broker share. Made by the server, outlives every request.
#pragma once
#include <string>

#include "broker/catalog.h"
#include "broker/config.h"
#include "broker/partitions.h"
#include "host/env.h"

namespace moldau::broker {

struct Node {
  host::Env& env;
  const BrokerConfig& config;
  std::string cluster_id;
  Catalog& catalog;
  Partitions& partitions;
  host::Address address;          // where we really listen

  // What clients are told to connect to.
  std::string advertised_host() const;
  // Makes the topic and opens its partitions. Errors: already_exists, and the disk's.
  host::Task<Result<Topic>> create_topic(std::string name, int32_t count);
  host::Task<Result<void>> delete_topic(Topic topic);
};

}  // namespace moldau::broker
