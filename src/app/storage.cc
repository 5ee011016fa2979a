#include "app/storage.h"

#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <map>

#include "base/properties.h"
#include "broker/config_key.h"
#include "broker/format.h"
#include "broker/identity.h"
#include "broker/server_config.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/posix/stderr_sink.h"
#include "host/posix/system.h"
#include "host/whole_file.h"
#include "metadata/features.h"

namespace moldau::app {

using broker::list_words;
using host::Env;
using host::Task;
using metadata::Features;

namespace {

namespace posix = host::posix;

// What of a server.properties says where and for whom.
struct Node {
  BrokerId id;
  std::vector<std::string> dirs;
  std::string metadata_dir;
  bool controller = false;
  bool static_quorum = false;  // controller.quorum.voters
  std::vector<raft::Endpoint> controller_endpoints;
};

std::string value_of(const Properties& properties, std::string_view key,
                     std::string_view otherwise = "") {
  const Property* found = properties.find(key);
  return found ? found->value : std::string(otherwise);
}

Result<Node> read_node(const Properties& properties) {
  Node node;
  std::string id = value_of(properties, "node.id", value_of(properties, "broker.id"));
  auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), node.id.value);
  if (error != std::errc() || end != id.data() + id.size() || id.empty() || node.id.value < 0)
    return fail(Errc::invalid, fmt::format("node.id={}: it takes a number from 0 on", id));
  node.dirs = list_words(
      value_of(properties, "log.dirs", value_of(properties, "log.dir", "/tmp/kafka-logs")));
  node.metadata_dir =
      value_of(properties, "metadata.log.dir", node.dirs.empty() ? "" : node.dirs.front());
  if (node.metadata_dir.empty()) return fail(Errc::invalid, "log.dirs names no directory");
  if (std::ranges::find(node.dirs, node.metadata_dir) == node.dirs.end())
    node.dirs.push_back(node.metadata_dir);
  for (const std::string& role : list_words(value_of(properties, "process.roles")))
    node.controller = node.controller || role == "controller";
  node.static_quorum = !list_words(value_of(properties, "controller.quorum.voters")).empty();
  std::vector<std::string> names = list_words(value_of(properties, "controller.listener.names"));
  std::string listeners = value_of(properties, "advertised.listeners");
  if (listeners.find(names.empty() ? "CONTROLLER" : names.front()) == listeners.npos)
    listeners = value_of(properties, "listeners");
  if (listeners.empty()) return node;
  TRY(all, broker::parse_listeners(listeners));
  for (const broker::Listener& one : all)
    if (std::ranges::find(names, one.name) != names.end())
      node.controller_endpoints.push_back(
          {one.name, one.at.host.empty() ? "localhost" : one.at.host, one.at.port});
  return node;
}

Task<Result<Node>> load_node(Env& env, std::string path) {
  CO_TRY(text, host::read_whole_file(env.disk, path));
  TRY_CO(properties, Properties::parse(text, path));
  co_return read_node(properties);
}

std::string all_levels() {
  std::string out;
  for (const metadata::MetadataLevel& one : metadata::metadata_levels())
    out += fmt::format("{}{}", out.empty() ? "" : ", ", one.name);
  return out;
}

Result<const metadata::MetadataLevel*> level_of(const std::string& release) {
  const auto* level = release.empty()
                          ? metadata::find_metadata_level(metadata::kLatestMetadataVersion)
                          : metadata::find_metadata_level(release);
  if (level) return level;
  return fail(Errc::invalid,
              fmt::format("Unknown metadata.version '{}'. Supported metadata.version are: {}",
                          release, all_levels()));
}

Result<void> set_feature(const std::string& assignment, Features& features) {
  constexpr std::string_view kKnown[] = {"eligible.leader.replicas.version",
                                         "group.version",
                                         "kraft.version",
                                         "share.version",
                                         "streams.version",
                                         "transaction.version"};
  size_t equals = assignment.find('=');
  std::string name = assignment.substr(0, equals);
  if (name != "metadata.version" && std::ranges::find(kKnown, name) == std::end(kKnown))
    return fail(Errc::invalid, fmt::format("Unsupported feature: {}. Supported features are: {}",
                                           name, fmt::join(kKnown, ", ")));
  std::string text = equals == assignment.npos ? "" : assignment.substr(equals + 1);
  int16_t level = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  if (error != std::errc() || end != text.data() + text.size() || level < 0)
    return fail(Errc::invalid, fmt::format("Can't parse feature=level string {}", assignment));
  if (level == 0)
    features.erase(name);
  else
    features[name] = level;
  return {};
}

// As Kafka's tool prints them.
std::string describe(const Features& features) {
  std::string records;
  auto add = [&](const std::string& name, int16_t level) {
    records += fmt::format(
        "{}ApiMessageAndVersion(FeatureLevelRecord(name='{}', featureLevel={}) at version 0)",
        records.empty() ? "" : ", ", name, level);
  };
  add("metadata.version", features.at("metadata.version"));
  for (const auto& [name, level] : features)
    if (name != "metadata.version") add(name, level);
  return fmt::format(
      "Bootstrap metadata: BootstrapMetadata(records=[{}], metadataVersionLevel={}, source=format "
      "command)\n",
      records, features.at("metadata.version"));
}

class Format {
 public:
  Format(Env& env, const StorageOptions& options) : env_(env), options_(options) {}
  Task<Result<void>> run();

 private:
  Task<Result<void>> look();
  Task<Result<void>> format_all();
  Task<Result<void>> format_one(std::string dir);
  Result<void> choose_features();
  Result<void> check_quorum() const;

  Env& env_;
  const StorageOptions& options_;
  Node node_;
  const metadata::MetadataLevel* level_ = nullptr;
  Features features_;
  std::vector<std::string> empty_;  // directories to be formatted
};

Result<void> Format::choose_features() {
  TRY(level, level_of(options_.release));
  level_ = level;
  features_ = metadata::default_features(level->level);
  for (const std::string& one : options_.features) TRY_(set_feature(one, features_));
  if (const auto* chosen = metadata::find_metadata_level(features_.at("metadata.version")))
    level_ = chosen;
  else
    return fail(Errc::invalid,
                fmt::format("Unknown metadata.version {}. Supported metadata.version are: {}",
                            features_.at("metadata.version"), all_levels()));
  return {};
}

Result<void> Format::check_quorum() const {
  bool chosen = options_.standalone || options_.no_initial_controllers;
  if (node_.static_quorum && options_.standalone)
    return fail(Errc::invalid,
                "You cannot specify controller.quorum.voters and format the node with "
                "--initial-controllers "
                "or --standalone. If you want to use dynamic quorum, please remove "
                "controller.quorum.voters "
                "and specify controller.quorum.bootstrap.servers instead.");
  if (node_.controller && !node_.static_quorum && !chosen)
    return fail(Errc::invalid,
                "Because controller.quorum.voters is not set on this controller, you must specify "
                "one of the "
                "following: --standalone, --initial-controllers, or --no-initial-controllers.");
  return {};
}

// Which are formatted already, and for whom.
Task<Result<void>> Format::look() {
  for (const std::string& dir : node_.dirs) {
    std::string path = dir + "/meta.properties";
    Result<std::string> text = co_await host::read_whole_file(env_.disk, path);
    if (!text && text.error().code() == Errc::not_found) {
      empty_.push_back(dir);
      continue;
    }
    if (!text) co_return std::move(text.error());
    TRY_CO(meta, broker::MetaProperties::parse(*text, path));
    if (meta.cluster_id != options_.cluster_id)
      co_return fail(Errc::invalid,
                     fmt::format("Invalid cluster.id in: {}. Expected {}, but read {}", path,
                                 options_.cluster_id, meta.cluster_id));
    if (meta.node_id && *meta.node_id != node_.id)
      co_return fail(Errc::invalid, fmt::format("Invalid node.id in: {}. Expected {}, but read {}",
                                                path, node_.id, *meta.node_id));
    if (!options_.ignore_formatted)
      co_return fail(Errc::already_exists,
                     fmt::format("Log directory {} is already formatted. Use --ignore-formatted to "
                                 "ignore this directory and format the others.",
                                 dir));
  }
  co_return Result<void>{};
}

Task<Result<void>> Format::format_one(std::string dir) {
  bool metadata_dir = dir == node_.metadata_dir;
  bool dynamic = metadata_dir && options_.standalone;
  posix::print(fmt::format("Formatting {} {} with metadata.version {}.\n",
                           dynamic        ? "dynamic metadata voter directory"
                           : metadata_dir ? "metadata directory"
                                          : "data directory",
                           dir, level_->name));
  broker::FormatPlan plan{.cluster_id = options_.cluster_id,
                          .node_id = node_.id,
                          .features = features_,
                          .metadata_dir = node_.metadata_dir,
                          .standalone = options_.standalone,
                          .controller_endpoints = node_.controller_endpoints};
  co_return co_await broker::format_directory(env_, dir, plan);
}

Task<Result<void>> Format::format_all() {
  if (empty_.empty()) {
    posix::print("All of the log directories are already formatted.\n");
    co_return Result<void>{};
  }
  posix::print(describe(features_));
  for (bool metadata_dir : {false, true}) {
    for (const std::string& dir : empty_) {
      if ((dir == node_.metadata_dir) != metadata_dir) continue;
      CO_TRY_(format_one(dir));
    }
  }
  co_return Result<void>{};
}

Task<Result<void>> Format::run() {
  std::string config = options_.config;
  CO_TRY(node, load_node(env_, config));
  node_ = std::move(node);
  if (Result<void> good = check_quorum(); !good) co_return good;
  if (Result<void> good = choose_features(); !good) co_return good;
  CO_TRY_(look());
  co_return co_await format_all();
}

struct Info {
  std::vector<std::string> found, problems;
  std::string metadata;
};

Task<Result<Info>> look_around(Env& env, Node node) {
  Info info;
  for (const std::string& dir : node.dirs) {
    auto entries = co_await env.disk.list(dir);
    if (!entries && entries.error().code() == Errc::not_found) {
      info.problems.push_back(fmt::format("{} does not exist", dir));
      continue;
    }
    if (!entries) co_return std::move(entries.error());
    info.found.push_back(dir);
    std::string path = dir + "/meta.properties";
    Result<std::string> text = co_await host::read_whole_file(env.disk, path);
    if (!text) {
      info.problems.push_back(fmt::format("{} is not formatted.", dir));
      continue;
    }
    TRY_CO(meta, broker::MetaProperties::parse(*text, path));
    if (!info.metadata.empty()) continue;
    info.metadata = fmt::format(
        "Found metadata: {{cluster.id={}, directory.id={}, node.id={}, version={}}}\n\n",
        meta.cluster_id, meta.directory_id ? meta.directory_id->to_string() : "",
        meta.node_id ? meta.node_id->value : -1, meta.version);
  }
  co_return info;
}

std::string list(const char* one, const char* many, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string out = lines.size() == 1 ? one : many;
  for (const std::string& line : lines) out += "\n  " + line;
  return out + "\n\n";
}

Task<Result<bool>> tell(Env& env, std::string config) {
  CO_TRY(node, load_node(env, config));
  CO_TRY(info, look_around(env, node));
  posix::print(list("Found log directory:", "Found log directories:", info.found) + info.metadata +
               list("Found problem:", "Found problems:", info.problems));
  bool good = info.problems.empty();
  co_return good;
}

int complain(const Error& error) {
  posix::StderrSink().write(error.text().empty() ? error.to_string() : error.text());
  return 1;
}

// Runs one task in the real world; its exit code.
int in_world(const std::function<Task<void>(Env&, int&)>& work) {
  auto system = posix::System::create({.signals = false});
  if (!system) return complain(system.error());
  int code = 0;
  Result<void> ran = (*system)->run(work((*system)->env(0), code));
  return ran ? code : complain(ran.error());
}

Task<void> format_work(Env& env, const StorageOptions& options, int& code) {
  Format format(env, options);
  Result<void> done = co_await format.run();
  if (!done) code = complain(done.error());
}

Task<void> info_work(Env& env, std::string config, int& code) {
  Result<bool> good = co_await tell(env, config);
  code = good ? !*good : complain(good.error());
}

Task<void> uuid_work(Env& env) {
  std::string text = env.entropy.uuid().to_string();
  // A leading '-' would look like a flag wherever the id is pasted.
  while (text.starts_with('-')) text = env.entropy.uuid().to_string();
  posix::print(text + "\n");
  co_return;
}

}  // namespace

int run_storage_format(const StorageOptions& options) {
  return in_world([&](Env& env, int& code) { return format_work(env, options, code); });
}

int run_storage_info(const StorageOptions& options) {
  return in_world([&](Env& env, int& code) { return info_work(env, options.config, code); });
}

int run_storage_random_uuid() {
  return in_world([](Env& env, int&) { return uuid_work(env); });
}

int run_storage_version_mapping(const StorageOptions& options) {
  Result<const metadata::MetadataLevel*> level = level_of(options.release);
  if (!level) return complain(level.error());
  Features features = metadata::default_features((*level)->level);
  std::string name = options.release.empty() ? std::string((*level)->name) : options.release;
  std::string out = fmt::format("metadata.version={} ({})\nkraft.version={}\n", (*level)->level,
                                name, (*level)->level >= 21 ? 1 : 0);
  for (const char* feature :
       {"transaction.version", "group.version", "eligible.leader.replicas.version", "share.version",
        "streams.version"})
    out += fmt::format("{}={}\n", feature, features.contains(feature) ? features[feature] : 0);
  posix::print(out);
  return 0;
}

}  // namespace moldau::app
