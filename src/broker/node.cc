#include "broker/node.h"

#include <fmt/format.h>

#include "broker/internal_topics.h"
#include "broker/kraft.h"
#include "broker/services.h"
#include "coordinator/driver.h"
#include "host/entropy.h"

namespace moldau::broker {

using host::Task;

std::string Node::advertised_host() const {
  if (!config.advertised_host.empty()) return config.advertised_host;
  return address.ip.is_any() ? "localhost" : address.ip.to_string();
}

uint16_t Node::advertised_port() const {
  return config.advertised_port ? config.advertised_port : address.port;
}

ConfigMap Node::shared_configs() const {
  std::shared_ptr<const metadata::Image> image = kraft.metadata().image();
  auto found = image->configs->find({metadata::kBrokerResource, ""});
  return found == image->configs->end() ? ConfigMap() : found->second;
}

namespace {

// Holds the right to change what topics there are.
class Turn {
 public:
  explicit Turn(host::Semaphore& changes) : changes_(changes) {}
  ~Turn() { changes_.release(1); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  host::Semaphore& changes_;
};

// Whether the metadata on disk has the change is not known any more.
bool is_broken_disk(const Error& error) { return error.code() == Errc::io; }

}  // namespace

Task<Result<Topic>> Node::create_topic(std::string name, int32_t count, ConfigMap configs) {
  co_await changes.acquire(1);
  Turn turn(changes);
  if (catalog.topics()->find(name))
    co_return fail(Errc::already_exists, fmt::format("Topic '{}' already exists.", name));
  if (configs.empty()) configs = configs_of(config, name);
  Topic topic{.name = std::move(name),
              .id = env.entropy.uuid(),
              .partitions = count,
              .configs = std::move(configs)};
  // First the partitions: a topic that nobody can write to or read from, because the disk was full
  // in the middle, would look well in the metadata for ever. Nobody is served from them before the
  // topic is there for good.
  Result<std::vector<Partitions::Ref>> made = co_await partitions.make(env, topic);
  if (!made) partitions.forget(topic.name);
  if (!made) co_return std::move(made.error());
  Result<void> there = co_await catalog.create(topic);
  if (there) {
    partitions.serve(std::move(*made));
    co_await tell_places(topic.id);
    if (topic.name == kOffsetsTopic) groups.topic_is_there(topic.partitions);
    co_return std::move(topic);
  }
  if (is_broken_disk(there.error())) partitions.take_offline(there.error());
  partitions.forget(topic.name);
  co_await partitions.discard(env, std::move(*made));
  co_return std::move(there.error());
}

Task<void> Node::tell_places(Uuid topic) {
  metadata::Driver& metadata = kraft.metadata();
  metadata::AssignDirectories wanted{.broker = config.node_id, .epoch = broker_epoch};
  wanted.places =
      misplaced(*metadata.image(), config.node_id, partitions.dirs(), directory_ids, topic);
  if (wanted.places.empty()) co_return;
  (void)co_await metadata.ask(std::move(wanted));
}

Task<Result<void>> Node::need_offsets_topic() {
  if (catalog.topics()->find(kOffsetsTopic)) co_return Result<void>();
  std::string name(kOffsetsTopic);
  ConfigMap usual = configs_of(config, name);
  Result<Topic> made = co_await create_topic(name, config.offsets_topic.partitions, usual);
  bool there = made || made.error().code() == Errc::already_exists;
  if (!there) co_return std::move(made.error());
  co_return Result<void>();
}

Task<Result<ConfigFault>> Node::alter_topic(std::string name, std::vector<ConfigChange> wanted,
                                            bool replace_all, bool validate_only) {
  co_await changes.acquire(1);
  Turn turn(changes);
  std::shared_ptr<const Topics> topics = catalog.topics();
  const Topic* found = topics->find(name);
  if (!found) co_return fail(Errc::not_found, fmt::format("The topic '{}' does not exist.", name));
  Topic topic = *found;
  if (replace_all) topic.configs.clear();
  ConfigFault fault = change_topic_config(config, wanted, topic.configs);
  bool same = topic.configs == found->configs;
  if (fault.error != wire::ErrorCode::none || validate_only || same) co_return fault;
  Result<void> stored = co_await catalog.replace(topic);
  if (!stored) {
    if (is_broken_disk(stored.error())) partitions.take_offline(stored.error());
    co_return std::move(stored.error());
  }
  partitions.reconfigure(topic);
  co_return fault;
}

Task<Result<void>> Node::add_partitions(Topic before, int32_t count) {
  co_await changes.acquire(1);
  Turn turn(changes);
  std::shared_ptr<const Topics> topics = catalog.topics();
  const Topic* found = topics->find(before.id);
  if (!found || *found != before)
    co_return fail(Errc::already_exists, fmt::format("Topic '{}' has changed.", before.name));
  Topic topic = std::move(before);
  int32_t first = std::exchange(topic.partitions, count);
  // As for a topic that is new: first the partitions, then the catalog, then they are served.
  CO_TRY(made, partitions.make(env, topic, first));
  Result<void> stored = co_await catalog.replace(topic);
  if (stored) {
    partitions.serve(std::move(made));
    co_await tell_places(topic.id);
    co_return stored;
  }
  if (is_broken_disk(stored.error())) partitions.take_offline(stored.error());
  co_await partitions.discard(env, std::move(made));
  co_return stored;
}

Task<Result<void>> Node::delete_topic(Topic topic) {
  co_await changes.acquire(1);
  Turn turn(changes);
  // Another request may have deleted it meanwhile, and a third made a new one of that name.
  bool there = catalog.topics()->find(topic.id) != nullptr;
  if (!there) co_return fail(Errc::not_found, "This server does not host this topic-partition.");
  Result<void> removed = co_await catalog.remove(topic.name);
  if (!removed) {
    if (is_broken_disk(removed.error())) partitions.take_offline(removed.error());
    co_return removed;
  }
  groups.forget_topic(topic.name);
  services.metrics.enter([&](Metrics& metrics) { metrics.forget_topic(topic.name); });
  co_return co_await partitions.remove(env, topic);
}

}  // namespace moldau::broker
