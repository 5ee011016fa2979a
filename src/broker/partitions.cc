#include "broker/partitions.h"

#include <fmt/format.h>

#include "broker/catalog.h"
#include "broker/config.h"
#include "broker/internal_topics.h"
#include "broker/topic_config.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/scope.h"
#include "host/whole_file.h"
#include "log/dir_name.h"
#include "log/log_dir.h"
#include "log/log_dirs.h"
#include "metadata/image.h"
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

Task<Result<bool>> exists(host::Env& env, std::string directory) {
  auto entries = co_await env.disk.list(directory);
  if (entries) co_return true;
  if (entries.error().code() == Errc::not_found) co_return false;
  co_return std::move(entries.error());
}

std::string name_of(const Topic& topic, int32_t index) {
  return fmt::format("{}-{}", topic.name, index);
}

}  // namespace

// Another topic of that name left its directory: a deletion that failed, or that a crash cut short.
// It is kept under another name, as Kafka does, and never shown as the new topic's.
Task<Result<void>> Partitions::set_aside(host::Env& env, log::LogDir& dir, std::string name) {
  Uuid unique = env.entropy.uuid();
  std::string from = dir.path() + "/" + name;
  std::string to = dir.path() + "/" + dir_name_with_suffix(name, log::DirKind::stray, unique);
  CO_TRY_(env.disk.rename(from, to));
  CO_TRY_(env.disk.sync_directory(dir.path()));
  if (dirs_.find(name) == &dir) dirs_.removed(name);
  co_return Result<void>();
}

// One partition of the topic in that directory, made if it is missing.
Task<Result<Partitions::Ref>> Partitions::open_one(host::Env& env, log::LogDir& dir,
                                                   const Topic& topic, int32_t index) {
  std::string name = name_of(topic, index);
  std::string directory = dir.path() + "/" + name;
  CO_TRY(owner, owner_of(env, directory));
  if (owner && *owner != topic.id) {
    CO_TRY_(set_aside(env, dir, name));
    owner.reset();
  }
  PartitionIndex number(index);
  log::LogConfig config = policy(topic.name)->log;
  CO_TRY(partition, replica::Partition::open(env, dir, topic.name, number, config));
  dirs_.placed(name, dir);
  partition->clean_by(cleaner_);
  if (owner) co_return std::move(partition);
  std::string path = directory + kMetadata;
  std::string text = fmt::format("version: 0\ntopic_id: {}\n", topic.id.to_string());
  Result<void> written = co_await host::replace_whole_file(env.disk, path, text);
  if (written) co_return std::move(partition);
  (void)co_await partition->close(env);
  co_return std::move(written.error());
}

// A partition of a topic that is being made: nothing that is there already can be its. A directory
// that fails meanwhile gives way to the next one.
Task<Result<Partitions::Ref>> Partitions::make_one(host::Env& env, const Topic& topic,
                                                   int32_t index) {
  std::string name = name_of(topic, index);
  for (log::LogDir* old : dirs_.opened()) {
    if (old->offline()) continue;
    std::string directory = old->path() + "/" + name;
    CO_TRY(there, exists(env, directory));
    if (there) CO_TRY_(set_aside(env, *old, name));
  }
  while (log::LogDir* dir = dirs_.choose()) {
    Result<Ref> made = co_await open_one(env, *dir, topic, index);
    if (made) co_return made;
    if (made.error().code() == Errc::io) dir->fail(made.error());
    dirs_.removed(name);
    if (!dir->offline()) co_return made;
  }
  co_return fail(Errc::offline, "all log directories are offline");
}

Partitions::Ref Partitions::find(std::string_view topic, int32_t index) const {
  return open_.enter([&](const Open& open) {
    auto it = open.by_name.find(Key(topic, index));
    bool here = it != open.by_name.end() && !open.offline.contains(it->first);
    return here ? it->second : Ref();
  });
}

wire::ErrorCode Partitions::absent(std::string_view topic, int32_t index) const {
  bool offline =
      open_.enter([&](const Open& open) { return open.offline.contains(Key(topic, index)); });
  return offline ? wire::ErrorCode::kafka_storage_error
                 : wire::ErrorCode::unknown_topic_or_partition;
}

std::shared_ptr<const TopicPolicy> Partitions::policy(std::string_view topic) const {
  return open_.enter([&](const Open& open) {
    auto found = open.policies.find(topic);
    return found == open.policies.end() ? nullptr : found->second;
  });
}

void Partitions::reconfigure(const Topic& topic) {
  // A catalog of before topics had settings says nothing of its own ones.
  bool silent = topic.configs.empty();
  const ConfigMap own = silent ? configs_of(config_, topic.name) : topic.configs;
  auto policy = std::make_shared<const TopicPolicy>(topic_policy(config_, own));
  std::vector<Ref> all = open_.enter([&](Open& open) {
    open.policies[topic.name] = policy;
    std::vector<Ref> found;
    auto it = open.by_name.lower_bound(Key(topic.name, INT32_MIN));
    for (; it != open.by_name.end() && it->first.first == topic.name; ++it)
      found.push_back(it->second);
    return found;
  });
  for (const Ref& partition : all) partition->reconfigure(policy->log);
}

void Partitions::forget(std::string_view topic) {
  open_.enter([&](Open& open) {
    auto found = open.policies.find(topic);
    if (found != open.policies.end()) open.policies.erase(found);
  });
}

size_t Partitions::size() const {
  return open_.enter([](const Open& open) { return open.by_name.size(); });
}

std::vector<Partitions::Ref> Partitions::all() const {
  return open_.enter([](const Open& open) {
    std::vector<Ref> out;
    for (const auto& [key, partition] : open.by_name) out.push_back(partition);
    return out;
  });
}

void Partitions::lose(const Topic& topic, int32_t index) {
  open_.enter([&](Open& open) { open.offline.insert(Key(topic.name, index)); });
}

size_t Partitions::on_offline(const log::LogDir& dir) {
  std::vector<std::pair<Key, Ref>> all = open_.enter([](const Open& open) {
    return std::vector<std::pair<Key, Ref>>(open.by_name.begin(), open.by_name.end());
  });
  std::erase_if(all,
                [&](const auto& one) { return dirs_.find(one.second->log().directory()) != &dir; });
  open_.enter([&](Open& open) {
    for (auto& [key, partition] : all) open.offline.insert(key);
  });
  return all.size();
}

// What is to be opened in one directory; several tasks take from it.
struct Partitions::Queue {
  log::LogDir* dir = nullptr;
  std::vector<std::pair<const Topic*, int32_t>> all;
  size_t next = 0;
  std::optional<Error> error;
};

Task<void> Partitions::open_queue(host::Env& env, Queue& queue) {
  while (queue.next < queue.all.size() && !queue.error) {
    auto [topic, index] = queue.all[queue.next++];
    if (queue.dir->offline()) {
      lose(*topic, index);
      continue;
    }
    Result<Ref> opened = co_await open_one(env, *queue.dir, *topic, index);
    if (opened) {
      std::vector<Ref> one;
      one.push_back(std::move(*opened));
      serve(std::move(one));
      continue;
    }
    if (opened.error().code() == Errc::io) queue.dir->fail(opened.error());
    if (queue.dir->offline())
      lose(*topic, index);
    else
      queue.error = std::move(opened.error()).in("topic " + topic->name);
  }
}

Task<Result<void>> Partitions::open(host::Env& env, std::shared_ptr<const Topics> topics) {
  bool incomplete = dirs_.incomplete();
  for (const Topic& topic : topics->all()) reconfigure(topic);
  std::map<std::string, Queue> queues;  // by path
  for (const Topic& topic : topics->all()) {
    for (int32_t i = 0; i < topic.partitions; i++) {
      std::string name = name_of(topic, i);
      log::LogDir* dir = dirs_.find(name);
      if (!dir && !incomplete) {
        dir = dirs_.choose();
        if (dir) dirs_.placed(name, *dir);
      }
      if (!dir) {
        lose(topic, i);
        continue;
      }
      Queue& queue = queues[dir->path()];
      queue.dir = dir;
      queue.all.emplace_back(&topic, i);
    }
  }
  host::Scope tasks(env.loop, "opening partitions");
  for (auto& [path, queue] : queues)
    for (int i = 0; i < config_.recovery_tasks_per_dir; i++) tasks.spawn(open_queue(env, queue));
  co_await tasks.drained();
  for (auto& [path, queue] : queues)
    if (queue.error) co_return std::move(*queue.error);
  co_return Result<void>();
}

Task<Result<std::vector<Partitions::Ref>>> Partitions::make(host::Env& env, Topic topic,
                                                            int32_t first) {
  std::vector<Ref> made;
  if (first == 0) reconfigure(topic);
  for (int32_t i = first; i < topic.partitions; i++) {
    Result<Ref> partition = co_await make_one(env, topic, i);
    if (partition) {
      made.push_back(std::move(*partition));
      continue;
    }
    co_await discard(env, std::move(made));
    co_return std::move(partition.error());
  }
  co_return made;
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

void Partitions::lead(const metadata::Image& image) {
  for (const Ref& partition : all()) {
    const metadata::Topic* topic = image.topics->find(partition->topic());
    if (!topic) continue;
    auto known = topic->partitions.find(partition->index().value);
    if (known != topic->partitions.end()) partition->lead(LeaderEpoch(known->second.leader_epoch));
  }
}

Task<void> Partitions::discard(host::Env& env, std::vector<Ref> made) {
  // What cannot be removed now is set aside when a topic of that name is made again.
  for (Ref& partition : made) (void)co_await remove_one(env, *partition);
}

Task<Result<void>> Partitions::remove_one(host::Env& env, replica::Partition& partition) {
  std::string name = partition.log().directory();
  Result<void> removed = co_await partition.remove(env);
  if (removed) dirs_.removed(name);
  co_return removed;
}

std::vector<Partitions::Ref> Partitions::take(const std::string& topic) {
  return open_.enter([&](Open& open) {
    std::vector<Ref> taken;
    auto it = open.by_name.lower_bound(Key(topic, INT32_MIN));
    while (it != open.by_name.end() && it->first.first == topic) {
      taken.push_back(std::move(it->second));
      it = open.by_name.erase(it);
    }
    std::erase_if(open.offline, [&](const Key& key) { return key.first == topic; });
    open.policies.erase(topic);
    return taken;
  });
}

Task<Result<void>> Partitions::remove(host::Env& env, Topic topic) {
  std::vector<Ref> taken = take(topic.name);
  for (Ref& partition : taken) partition->retire();
  Result<void> first;
  for (Ref& partition : taken) {
    Result<void> removed = co_await remove_one(env, *partition);
    if (!removed && first) first = std::move(removed);
  }
  co_return first;
}

void Partitions::retire_all() {
  open_.enter([](Open& open) { open.retired = true; });
  for (Ref& partition : all()) partition->retire();
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

void Partitions::take_offline(const Error& error) { dirs_.metadata().fail(error); }

}  // namespace moldau::broker
