// What the operator decides about a broker. Kafka's names in the comments; read by app from flags
// and properties.
#pragma once
#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "host/address.h"
#include "log/log_core.h"

namespace moldau::broker {

struct BrokerConfig {
  BrokerId node_id{1};                   // node.id
  host::Address listen;                  // listeners
  std::string advertised_host;           // advertised.listeners; empty: the listener's address
  std::string data_dir;                  // log.dirs
  int32_t num_partitions = 1;            // num.partitions
  bool auto_create_topics = true;        // auto.create.topics.enable
  size_t max_request_bytes = 100 << 20;  // socket.request.max.bytes
  int32_t max_message_bytes = 1048588;   // message.max.bytes: of one batch
  int32_t fetch_max_bytes =
      55 << 20;  // fetch.max.bytes: of one reply, whatever the consumer asks for
  log::LogConfig log;
};

}  // namespace moldau::broker
