#include "broker/partitions.h"

#include <fmt/format.h>

#include "broker/catalog.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/whole_file.h"
#include "log/log_dir.h"
#include "replica/driver.h"

namespace moldau::broker {

using host::Task;

namespace {

constexpr const char* kMetadata =
    "/partition.metadata";  // Kafka's file that ties a directory to a topic id

// The topic id in a partition directory; nothing if it has no such file. Errors: corrupt, and the
// disk's.
Task<Result<std::optional<Uuid>>> owner_of(host::Env& env, std::string directory) {
  constexpr std::string_view kField = "topic_id: ";
  std::string path = directory + kMetadata;
  Result<std::string> text = co_await host::read_whole_file(env.disk, path);
  if (!text && text.error().code() == Errc::not_found) co_return std::optional<Uuid>();
  if (!text) co_return std::move(text.error());
  size_t at = text->find(kField);
  if (at == std::string::npos) co_return fail(Errc::corrupt, path + ": it names no topic_id");
  size_t begin = at + kField.size();
  Result<Uuid> id =
      Uuid::parse(std::string_view(*text).substr(begin, text->find('\n', begin) - begin));
  if (!id) co_return std::move(id.error()).in(path);
  co_return std::optional<Uuid>(*id);
}

// Another topic of that name left its directory: a deletion that failed, or that a crash cut short.
// It is kept under another name, as Kafka does, and never shown as the new topic's.
Task<Result<void>> set_aside(host::Env& env, std::string directory) {
  std::string aside = fmt::format("{}.{:016x}-stray", directory, env.entropy.next());
  CO_TRY_(env.disk.rename(directory, aside));
  std::string parent = host::parent_directory(directory);
  co_return co_await env.disk.sync_directory(parent);
}

Task<Result<bool>> exists(host::Env& env, std::string directory) {
  auto entries = co_await env.disk.list(directory);
  if (entries) co_return true;
  if (entries.error().code() == Errc::not_found) co_return false;
  co_return std::move(entries.error());
}

}  // namespace

// One partition of the topic. fresh: the topic is being made, so that nothing that is there already
// can be its.
Task<Result<Partitions::Ref>> Partitions::open_one(host::Env& env, const Topic& topic,
                                                   int32_t index, bool fresh) {
  std::string directory = fmt::format("{}/{}-{}", dir_.path(), topic.name, index);
  CO_TRY(there, exists(env, directory));
  std::optional<Uuid> owner;
  if (there) {
    CO_TRY(found, owner_of(env, directory));
    bool stray = fresh || (found && *found != topic.id);
    if (stray)
      CO_TRY_(set_aside(env, directory));
    else
      owner = found;
  }
  PartitionIndex number(index);
  CO_TRY(partition, replica::Partition::open(env, dir_, topic.name, number, config_));
  if (owner) co_return std::move(partition);
  std::string path = directory + kMetadata;
  std::string text = fmt::format("version: 0\ntopic_id: {}\n", topic.id.to_string());
  Result<void> written = co_await host::replace_whole_file(env.disk, path, text);
  if (written) co_return std::move(partition);
  (void)co_await partition->close(env);
  co_return std::move(written.error());
}

Partitions::Ref Partitions::find(std::string_view topic, int32_t index) const {
  return open_.enter([&](const Open& open) {
    auto it = open.by_name.find(Key(topic, index));
    return it == open.by_name.end() ? Ref() : it->second;
  });
}

size_t Partitions::size() const {
  return open_.enter([](const Open& open) { return open.by_name.size(); });
}

Task<Result<std::vector<Partitions::Ref>>> Partitions::open_all(host::Env& env, const Topic& topic,
                                                                bool fresh) {
  std::vector<Ref> opened;
  for (int32_t i = 0; i < topic.partitions; i++) {
    Result<Ref> partition = co_await open_one(env, topic, i, fresh);
    if (partition) {
      opened.push_back(std::move(*partition));
      continue;
    }
    // In order: a log that just goes away would make the whole directory look unclean.
    if (fresh) {
      co_await discard(env, std::move(opened));
    } else {
      for (Ref& one : opened) (void)co_await one->close(env);
    }
    co_return std::move(partition.error());
  }
  co_return opened;
}

Task<Result<void>> Partitions::open(host::Env& env, Topic topic) {
  CO_TRY(opened, open_all(env, topic, false));
  serve(std::move(opened));
  co_return Result<void>();
}

Task<Result<std::vector<Partitions::Ref>>> Partitions::make(host::Env& env, Topic topic) {
  co_return co_await open_all(env, topic, true);
}

void Partitions::serve(std::vector<Ref> made) {
  bool retired = open_.enter([&](Open& open) {
    for (const Ref& partition : made)
      open.by_name[Key(partition->topic(), partition->index().value)] = partition;
    return open.retired;
  });
  if (retired)
    for (Ref& partition : made) partition->retire();
}

Task<void> Partitions::discard(host::Env& env, std::vector<Ref> made) {
  // What cannot be removed now is set aside when a topic of that name is made again.
  for (Ref& partition : made) (void)co_await partition->remove(env);
}

std::vector<Partitions::Ref> Partitions::take(const std::string& topic) {
  return open_.enter([&](Open& open) {
    std::vector<Ref> taken;
    auto it = open.by_name.lower_bound(Key(topic, INT32_MIN));
    while (it != open.by_name.end() && it->first.first == topic) {
      taken.push_back(std::move(it->second));
      it = open.by_name.erase(it);
    }
    return taken;
  });
}

Task<Result<void>> Partitions::remove(host::Env& env, Topic topic) {
  std::vector<Ref> taken = take(topic.name);
  for (Ref& partition : taken) partition->retire();
  Result<void> first;
  for (Ref& partition : taken) {
    Result<void> removed = co_await partition->remove(env);
    if (!removed && first) first = std::move(removed);
  }
  co_return first;
}

void Partitions::retire_all() {
  std::vector<Ref> all = open_.enter([](Open& open) {
    open.retired = true;
    std::vector<Ref> out;
    for (auto& [key, partition] : open.by_name) out.push_back(partition);
    return out;
  });
  for (Ref& partition : all) partition->retire();
}

Task<Result<void>> Partitions::close_all(host::Env& env) {
  std::vector<Ref> all = open_.enter([](Open& open) {
    std::vector<Ref> out;
    for (auto& [key, partition] : open.by_name) out.push_back(std::move(partition));
    open.by_name.clear();
    return out;
  });
  Result<void> first;
  for (Ref& partition : all) {
    Result<void> closed = co_await partition->close(env);
    if (!closed && first) first = std::move(closed);
  }
  co_return first;
}

void Partitions::take_offline(const Error& error) { dir_.fail(error); }

}  // namespace moldau::broker
