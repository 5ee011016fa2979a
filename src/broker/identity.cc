#include "broker/identity.h"

#include <fmt/format.h>

#include "base/properties.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/whole_file.h"

namespace moldau::broker {

using host::Task;

namespace {

Task<Result<Identity>> create(host::Env& env, std::string path, BrokerId node_id) {
  Identity identity{.node_id = node_id};
  identity.cluster_id = env.entropy.uuid().to_string();
  identity.directory_id = env.entropy.uuid();
  std::string text = fmt::format("#\nversion=1\ncluster.id={}\nnode.id={}\ndirectory.id={}\n",
                                 identity.cluster_id, node_id, identity.directory_id.to_string());
  CO_TRY_(host::replace_whole_file(env.disk, path, text));
  co_return identity;
}

Result<Identity> parse(std::string_view text, const std::string& path, BrokerId node_id) {
  TRY(properties, Properties::parse(text, path));
  auto value = [&](std::string_view key) {
    const Property* found = properties.find(key);
    return found ? found->value : std::string();
  };
  if (value("version") != "1")
    return fail(Errc::invalid,
                fmt::format("{}: version '{}' is not known, only 1 is", path, value("version")));
  if (value("node.id") != fmt::format("{}", node_id))
    return fail(
        Errc::invalid,
        fmt::format(
            "{}: this directory belongs to node {}, we are node {}. Start with its node.id, or "
            "choose another data directory",
            path, value("node.id"), node_id));
  if (value("cluster.id").empty()) return fail(Errc::invalid, path + ": it has no cluster.id");
  Identity out{.cluster_id = value("cluster.id"), .node_id = node_id};
  if (!value("directory.id").empty()) {
    TRY(id, Uuid::parse(value("directory.id")));
    out.directory_id = id;
  }
  return out;
}

}  // namespace

Task<Result<Identity>> open_identity(host::Env& env, std::string directory, BrokerId node_id) {
  std::string path = directory + "/meta.properties";
  Result<std::string> text = co_await host::read_whole_file(env.disk, path);
  if (text) co_return parse(*text, path, node_id);
  if (text.error().code() != Errc::not_found) co_return std::move(text.error());
  co_return co_await create(env, path, node_id);
}

}  // namespace moldau::broker
