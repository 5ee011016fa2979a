#include "broker/server_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/suggest.h"
#include "broker/broker_keys.h"
#include "broker/settings.h"

namespace moldau::broker {

namespace {

constexpr std::string_view kFlush = "moldau.flush";
constexpr std::string_view kHttp = "moldau.http.listener";

bool is_own_key(std::string_view name) { return name == kFlush || name == kHttp; }

// "listener.name.internal.ssl.keystore.location" is about ssl.keystore.location; so is the same
// with a mechanism before it.
std::string_view base_key(std::string_view name) {
  constexpr std::string_view kPrefix = "listener.name.";
  if (!name.starts_with(kPrefix)) return name;
  std::string_view rest = name.substr(kPrefix.size());
  for (int parts = 0; parts < 2; parts++) {
    size_t dot = rest.find('.');
    if (dot == rest.npos) break;
    rest = rest.substr(dot + 1);
    if (find_broker_key(rest)) return rest;
  }
  return name;
}

class ConfigReader {
 public:
  explicit ConfigReader(const Properties& properties);
  Result<ServerConfig> run();

 private:
  void check_keys();
  void check_key(const std::string& name, const Property& property);
  void read_identity();
  void read_listeners();
  void read_quorum(const std::vector<Listener>& listeners,
                   const std::vector<std::string>& controllers);
  void read_advertised(const std::vector<std::string>& controllers);
  void read_http();
  void read_directories();
  void read_settings();
  void tell();

  const Property* find(std::string_view name) const { return properties_.find(name); }
  // "key=value (server.properties:12): "
  static std::string place(std::string_view name, const Property& property) {
    return fmt::format("{}={} ({}): ", name, property.value, property.source);
  }
  void wrong(std::string text) { wrong_.push_back(std::move(text)); }
  void wrong(std::string_view name, const Property& property, std::string_view why) {
    wrong(place(name, property) + std::string(why));
  }
  template <class T>
  void number(std::string_view name, T& into);
  void flag(std::string_view name, bool& into);

  Properties properties_;  // without the space around values, "true" and "false" in small letters
  ServerConfig config_;
  std::vector<std::string> wrong_, useless_, later_;
};

ConfigReader::ConfigReader(const Properties& properties) {
  for (const auto& [name, property] : properties) {
    const BrokerKey* key = find_broker_key(base_key(name));
    std::string_view value = trimmed(property.value);
    properties_.set(name, key ? shown_value(key->type, value) : std::string(value),
                    property.source);
  }
}

void ConfigReader::check_key(const std::string& name, const Property& property) {
  const BrokerKey* key = find_broker_key(base_key(name));
  if (!key) {
    std::vector<std::string_view> known;
    for (const BrokerKey& one : broker_keys()) known.push_back(one.name);
    known.push_back(kFlush);
    known.push_back(kHttp);
    return wrong(unknown_name("key", name, property.source, known));
  }
  bool secret = key->type == KeyType::password;
  if (Result<void> good = check_value(*key, property.value); !good)
    return wrong(name, secret ? Property{"(hidden)", property.source} : property,
                 good.error().text());
  std::string_view standard = key->standard ? key->standard : "";
  if (property.value == standard) return;
  switch (key->use) {
    case KeyUse::honoured:
      return;
    case KeyUse::nothing:
      return useless_.push_back(name);
    case KeyUse::later:
      return later_.push_back(name);
    case KeyUse::refused:
      return wrong(name, property,
                   "this is not there yet, and to start without it would not be what it asks for");
  }
}

void ConfigReader::check_keys() {
  for (const auto& [name, property] : properties_) {
    if (!is_own_key(name)) check_key(name, property);
  }
}

template <class T>
void ConfigReader::number(std::string_view name, T& into) {
  if (const Property* given = find(name)) into = static_cast<T>(std::stoll(given->value));
}

void ConfigReader::flag(std::string_view name, bool& into) {
  if (const Property* given = find(name)) into = given->value == "true";
}

void ConfigReader::read_identity() {
  const Property* roles = find("process.roles");
  if (!roles)
    return wrong("process.roles is missing: set process.roles=broker,controller (a node is both)");
  std::vector<std::string> list = list_words(roles->value);
  bool both =
      std::ranges::count(list, "broker") == 1 && std::ranges::count(list, "controller") == 1;
  if (!both)
    wrong("process.roles", *roles,
          "a node of its own role is not there yet; set process.roles=broker,controller");
  const Property* id = find("node.id");
  if (!id) id = find("broker.id");
  if (!id) return wrong("node.id is missing: set it to the number of this node, such as node.id=1");
  config_.broker.node_id = BrokerId(static_cast<int32_t>(std::stol(id->value)));
  if (config_.broker.node_id.value < 0) wrong("node.id", *id, "it takes a number from 0 on");
}

std::map<std::string, std::string> protocols(std::string_view text) {
  std::map<std::string, std::string> all;
  for (const std::string& pair : list_words(text)) {
    size_t colon = pair.find(':');
    if (colon != pair.npos) all[pair.substr(0, colon)] = pair.substr(colon + 1);
  }
  return all;
}

void ConfigReader::read_listeners() {
  const Property* given = find("listeners");
  Property standard{"PLAINTEXT://:9092", "default"};
  if (!given) given = &standard;
  Result<std::vector<Listener>> listeners = parse_listeners(given->value);
  if (!listeners) return wrong("listeners", *given, listeners.error().text());
  const Property* names = find("controller.listener.names");
  if (!names)
    return wrong(
        "controller.listener.names is missing: name the listener of the controller, such "
        "as controller.listener.names=CONTROLLER");
  std::vector<std::string> controllers = list_words(names->value);
  const Property* map = find("listener.security.protocol.map");
  std::map<std::string, std::string> known =
      map ? protocols(map->value)
          : protocols(find_broker_key("listener.security.protocol.map")->standard);
  std::vector<Listener> clients;
  for (const Listener& one : *listeners)
    if (std::ranges::find(controllers, one.name) == controllers.end()) clients.push_back(one);
  if (clients.size() != 1)
    return wrong("listeners", *given,
                 clients.empty() ? "it needs one listener that is not the controller's"
                                 : "more than one listener for clients is not there yet");
  const std::string& name = clients.front().name;
  auto protocol = known.find(name);
  if (protocol == known.end() && name != "PLAINTEXT")
    return wrong("listeners", *given,
                 fmt::format("listener.security.protocol.map does not say what {} is", name));
  if (protocol != known.end() && protocol->second != "PLAINTEXT")
    return wrong("listeners", *given,
                 fmt::format("{} is not there yet: only PLAINTEXT is", protocol->second));
  config_.listen = clients.front().at;
  config_.broker.kraft.listener = name;
  read_quorum(*listeners, controllers);
  read_advertised(controllers);
}

void ConfigReader::read_quorum(const std::vector<Listener>& listeners,
                               const std::vector<std::string>& controllers) {
  KraftConfig& kraft = config_.broker.kraft;
  for (const Listener& one : listeners)
    if (std::ranges::find(controllers, one.name) != controllers.end())
      kraft.controller_endpoints.push_back(
          {one.name, one.at.host.empty() ? "localhost" : one.at.host, one.at.port});
  const Property* voters = find("controller.quorum.voters");
  if (!voters || voters->value.empty()) return;
  Result<raft::VoterSet> set = raft::VoterSet::parse(
      voters->value, controllers.empty() ? "CONTROLLER" : controllers.front());
  if (!set) return wrong("controller.quorum.voters", *voters, set.error().text());
  kraft.static_voters = std::move(*set);
}

void ConfigReader::read_advertised(const std::vector<std::string>& controllers) {
  const Property* given = find("advertised.listeners");
  if (!given) {
    config_.broker.advertised_host = config_.listen.host;
    return;
  }
  Result<std::vector<Listener>> all = parse_listeners(given->value);
  if (!all) return wrong("advertised.listeners", *given, all.error().text());
  for (const Listener& one : *all) {
    if (std::ranges::find(controllers, one.name) != controllers.end()) continue;
    if (one.at.host == "0.0.0.0" || one.at.host == "::")
      return wrong("advertised.listeners", *given,
                   "clients cannot connect to that address: name the host that they can reach");
    config_.broker.advertised_host = one.at.host;
    config_.broker.advertised_port = one.at.port;
  }
}

void ConfigReader::read_http() {
  const Property* given = find(kHttp);
  if (!given || given->value.empty()) return;
  std::string_view text = given->value;
  if (text.starts_with("HTTP://")) text.remove_prefix(7);
  Result<host::HostPort> where = host::HostPort::parse(std::string(text), 0);
  if (!where || text.rfind(':') == text.npos)
    return wrong(kHttp, *given, "it takes a place to listen at, as HTTP://localhost:9644");
  config_.http = *where;
}

void ConfigReader::read_directories() {
  const Property* given = find("log.dirs");
  if (!given) given = find("log.dir");
  config_.broker.log_dirs =
      given ? list_words(given->value) : std::vector<std::string>{"/tmp/kafka-logs"};
  if (config_.broker.log_dirs.empty())
    wrong("log.dirs", *given, "it takes one or more directories");
  if (const Property* metadata = find("metadata.log.dir"))
    config_.broker.kraft.metadata_dir = metadata->value;
}

void ConfigReader::read_settings() {
  BrokerConfig& broker = config_.broker;
  number("num.partitions", broker.num_partitions);
  number("message.max.bytes", broker.max_message_bytes);
  number("fetch.max.bytes", broker.fetch_max_bytes);
  number("socket.request.max.bytes", broker.max_request_bytes);
  number("max.incremental.fetch.session.cache.slots", broker.fetch_sessions);
  number("telemetry.max.bytes", broker.telemetry_max_bytes);
  number("max.request.partition.size.limit", broker.max_described_partitions);
  number("num.recovery.threads.per.data.dir", broker.recovery_tasks_per_dir);
  flag("auto.create.topics.enable", broker.auto_create_topics);
  flag("delete.topic.enable", broker.delete_topics);
  flag("unclean.leader.election.enable", broker.kraft.unclean_leader_election);
  if (const Property* rack = find("broker.rack")) broker.kraft.rack = rack->value;
  if (const Property* flush = find(kFlush)) {
    if (flush->value != "ack" && flush->value != "async")
      wrong(kFlush, *flush, "it takes ack or async");
    broker.log.flush = flush->value == "async" ? log::Flush::async : log::Flush::ack;
  }
  std::map<std::string, std::string> settings;
  for (std::string_view name : setting_names())
    if (const Property* given = find(name)) settings.emplace(name, given->value);
  for (const auto& [name, property] : properties_)
    if (find_broker_key(base_key(name))) broker.given[name] = property.value;
  if (Result<void> applied = apply_settings(settings, broker); !applied)
    wrong(applied.error().text());
}

void ConfigReader::tell() {
  if (!useless_.empty())
    config_.notices.push_back(fmt::format(
        "no effect here, Moldau has no such threads or buffers: {}", fmt::join(useless_, ", ")));
  if (!later_.empty())
    config_.notices.push_back(
        fmt::format("known, and not honoured yet: {}", fmt::join(later_, ", ")));
}

Result<ServerConfig> ConfigReader::run() {
  check_keys();
  // What is read below relies on values that have the right form.
  if (wrong_.empty()) {
    read_identity();
    read_listeners();
    read_http();
    read_directories();
    read_settings();
  }
  if (!wrong_.empty()) return fail(Errc::invalid, fmt::format("{}", fmt::join(wrong_, "\n")));
  tell();
  return std::move(config_);
}

}  // namespace

Result<ServerConfig> read_server_config(const Properties& properties) {
  return ConfigReader(properties).run();
}

bool is_server_key(std::string_view name) {
  return is_own_key(name) || find_broker_key(base_key(name));
}

Result<std::vector<Listener>> parse_listeners(std::string_view text) {
  std::vector<Listener> all;
  for (const std::string& one : list_words(text)) {
    size_t at = one.find("://");
    if (at == one.npos || at == 0)
      return fail(Errc::invalid, fmt::format("\"{}\" is no listener: write NAME://host:port", one));
    if (one.rfind(':') < at + 3)
      return fail(Errc::invalid, fmt::format("\"{}\" has no port: write NAME://host:port", one));
    Result<host::HostPort> where = host::HostPort::parse(one.substr(at + 3), 0);
    if (!where) return fail(Errc::invalid, fmt::format("\"{}\": {}", one, where.error().text()));
    Listener listener{one.substr(0, at), *where};
    std::ranges::transform(listener.name, listener.name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    for (const Listener& other : all) {
      if (other.name == listener.name)
        return fail(Errc::invalid, fmt::format("two listeners have the name {}", listener.name));
      if (other.at.port != 0 && other.at.port == listener.at.port &&
          other.at.host == listener.at.host)
        return fail(Errc::invalid, fmt::format("two listeners have the port {}", listener.at.port));
    }
    all.push_back(std::move(listener));
  }
  if (all.empty())
    return fail(Errc::invalid, "it takes one or more listeners, as NAME://host:port");
  return all;
}

}  // namespace moldau::broker
