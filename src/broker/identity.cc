#include "broker/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/properties.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/whole_file.h"

namespace moldau::broker {

using host::Task;

namespace {

constexpr const char* kFile = "/meta.properties";

std::optional<std::string> field(const Properties& properties, std::string_view key) {
  const Property* found = properties.find(key);
  return found && !found->value.empty() ? std::optional(found->value) : std::nullopt;
}

std::optional<BrokerId> node_number(const std::string& text) {
  int32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return BrokerId(value);
}

Error invalid(const std::string& path, const std::string& what) {
  return fail(Errc::invalid, path + ": " + what);
}

// What was found in each directory; nothing: there is no such file yet.
using Found = std::vector<std::optional<MetaProperties>>;

// All of one node, one cluster, and each another directory.
Result<std::string> agree(const Found& found, const std::vector<std::string>& directories,
                          BrokerId node_id) {
  std::string cluster;
  for (size_t i = 0; i < found.size(); i++) {
    if (!found[i]) continue;
    const MetaProperties& meta = *found[i];
    std::string path = directories[i] + kFile;
    if (meta.node_id && *meta.node_id != node_id)
      return invalid(path, fmt::format("this directory belongs to node {}, we are node {}. Start "
                                       "with its node.id, or choose another data directory",
                                       *meta.node_id, node_id));
    if (!meta.cluster_id.empty() && !cluster.empty() && meta.cluster_id != cluster)
      return invalid(path, fmt::format("this directory belongs to cluster {}, those before it to "
                                       "cluster {}. Take it out of log.dirs",
                                       meta.cluster_id, cluster));
    if (!meta.cluster_id.empty()) cluster = meta.cluster_id;
    for (size_t j = 0; j < i; j++)
      if (found[j] && meta.directory_id && found[j]->directory_id == meta.directory_id)
        return invalid(path, fmt::format("directory.id {} is that of {} as well: one is a copy of "
                                         "the other. Take the copy out of log.dirs",
                                         meta.directory_id->to_string(), directories[j]));
  }
  return cluster;
}

// Everything of one directory: its id, and the file if it is missing or old.
Task<Result<Uuid>> complete(host::Env& env, std::string path, MetaProperties meta, bool stored) {
  bool whole = stored && meta.version == 1 && meta.directory_id;
  if (whole) co_return *meta.directory_id;
  meta.version = 1;
  if (!meta.directory_id) meta.directory_id = env.entropy.uuid();
  std::string text = meta.print();
  CO_TRY_(host::replace_whole_file(env.disk, path, text));
  co_return *meta.directory_id;
}

}  // namespace

Result<MetaProperties> MetaProperties::parse(std::string_view text, const std::string& path) {
  TRY(properties, Properties::parse(text, path));
  std::string version = field(properties, "version").value_or("0");
  if (version != "0" && version != "1")
    return invalid(path, fmt::format("version '{}' is not known, only 0 and 1 are", version));
  MetaProperties out{.version = version == "1" ? 1 : 0};
  out.cluster_id = field(properties, "cluster.id").value_or("");
  const char* key = out.version == 1 ? "node.id" : "broker.id";
  std::optional<std::string> node = field(properties, key);
  if (node) out.node_id = node_number(*node);
  if (node && !out.node_id) return invalid(path, fmt::format("{} '{}' is no number", key, *node));
  bool lacking = out.version == 1 && (!node || out.cluster_id.empty());
  if (lacking) return invalid(path, fmt::format("it has no {}", node ? "cluster.id" : "node.id"));
  if (std::optional<std::string> id = field(properties, "directory.id")) {
    Result<Uuid> parsed = Uuid::parse(*id);
    if (!parsed) return invalid(path, "directory.id: " + parsed.error().text());
    out.directory_id = *parsed;
  }
  return out;
}

std::string MetaProperties::print() const {
  return fmt::format("#\nversion=1\ncluster.id={}\nnode.id={}\ndirectory.id={}\n", cluster_id,
                     *node_id, directory_id->to_string());
}

Task<Result<bool>> is_formatted(host::Env& env, std::vector<std::string> directories) {
  for (const std::string& directory : directories) {
    std::string path = directory + kFile;
    Result<std::string> text = co_await host::read_whole_file(env.disk, path);
    if (text) co_return true;
    bool first = &directory == &directories.front();
    if (text.error().code() != Errc::not_found && first) co_return std::move(text.error());
  }
  co_return false;
}

Task<Result<Identity>> open_identity(host::Env& env, std::vector<std::string> directories,
                                     BrokerId node_id) {
  Identity out{.node_id = node_id};
  out.failures.resize(directories.size());
  out.directory_ids.resize(directories.size());
  Found found(directories.size());
  for (size_t i = 0; i < directories.size(); i++) {
    std::string path = directories[i] + kFile;
    Result<std::string> text = co_await host::read_whole_file(env.disk, path);
    if (text) {
      TRY_CO(meta, MetaProperties::parse(*text, path));
      found[i] = std::move(meta);
    } else if (text.error().code() != Errc::not_found) {
      if (i == 0) co_return std::move(text.error());
      out.failures[i] = std::move(text.error());
    }
  }
  TRY_CO(cluster, agree(found, directories, node_id));
  out.cluster_id = cluster.empty() ? env.entropy.uuid().to_string() : cluster;
  for (size_t i = 0; i < directories.size(); i++) {
    if (out.failures[i]) continue;
    bool stored = found[i].has_value();
    MetaProperties meta = stored ? *found[i] : MetaProperties();
    meta.cluster_id = out.cluster_id;
    meta.node_id = node_id;
    std::string path = directories[i] + kFile;
    Result<Uuid> id = co_await complete(env, path, meta, stored);
    if (id) {
      out.directory_ids[i] = *id;
      continue;
    }
    if (i == 0) co_return std::move(id.error());
    out.failures[i] = std::move(id.error());
  }
  co_return out;
}

}  // namespace moldau::broker
