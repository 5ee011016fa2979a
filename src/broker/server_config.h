// Kafka's server.properties into what a broker goes by: every key is known (broker_keys.h), and
// what cannot be honoured is said, or refused. Pure: files and environment are read by app.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/properties.h"
#include "base/result.h"
#include "broker/config.h"
#include "host/address.h"

namespace moldau::broker {

// One of `listeners`: NAME://host:port.
struct Listener {
  std::string name;
  host::HostPort at;  // no host: all addresses
  bool operator==(const Listener&) const = default;
};
// Errors: invalid (not of that form, a name or a port twice); the text says which.
Result<std::vector<Listener>> parse_listeners(std::string_view text);

// Whether a configuration may have that key, ours included.
bool is_server_key(std::string_view name);

struct ServerConfig {
  BrokerConfig broker;                 // but for `listen`: a name is still to be resolved
  host::HostPort listen;               // no host: all addresses
  std::optional<host::HostPort> http;  // moldau.http.listener, as `listen`
  std::vector<std::string> notices;    // for people: what has no effect here, what is not there yet
};

// Errors: invalid. The text has all that is wrong with the configuration, a line each: the key,
// where it comes from, what it takes.
Result<ServerConfig> read_server_config(const Properties& properties);

}  // namespace moldau::broker
