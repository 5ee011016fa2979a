#include "broker/metadata_catalog.h"

#include <fmt/format.h>

#include "broker/membership.h"
#include "host/entropy.h"
#include "host/env.h"

namespace moldau::broker {

using host::Task;
using wire::ErrorCode;

namespace {

std::shared_ptr<const Topics> topics_of(const metadata::Image& image) {
  std::vector<Topic> all;
  all.reserve(image.topics->by_id.size());
  for (const auto& [id, topic] : image.topics->by_id) {
    Topic one{.name = topic->name,
              .id = id,
              .partitions = static_cast<int32_t>(topic->partitions.size())};
    auto configs = image.configs->find({metadata::kTopicResource, topic->name});
    if (configs != image.configs->end()) one.configs = configs->second;
    all.push_back(std::move(one));
  }
  return std::make_shared<const Topics>(std::move(all));
}

Errc errc_of(ErrorCode error) {
  switch (error) {
    case ErrorCode::topic_already_exists:
      return Errc::already_exists;
    case ErrorCode::unknown_topic_id:
    case ErrorCode::unknown_topic_or_partition:
      return Errc::not_found;
    case ErrorCode::stale_broker_epoch:
    case ErrorCode::broker_id_not_registered:
      return Errc::refused;
    default:
      return Errc::invalid;
  }
}

template <class Reply>
Result<void> verdict_of(const Result<Reply>& reply) {
  if (!reply) return reply.error();
  if (reply->good()) return {};
  return fail(errc_of(reply->error), reply->text);
}

}  // namespace

MetadataCatalog::MetadataCatalog(host::Env& env, metadata::Driver& metadata, BrokerId us,
                                 const Membership& member)
    : env_(env), metadata_(metadata), us_(us), member_(member), block_(env.loop, 1) {}

std::shared_ptr<const Topics> MetadataCatalog::topics() const {
  std::shared_ptr<const metadata::Image> image = metadata_.image();
  auto known = made_.enter([&](const Made& made) {
    bool same = made.from == image->topics && made.configs == image->configs;
    return same ? made.topics : nullptr;
  });
  if (known) return known;
  Made next{image->topics, image->configs, topics_of(*image)};
  std::shared_ptr<const Topics> topics = next.topics;
  made_.enter([&](Made& made) { std::swap(made, next); });
  return topics;
}

Task<Result<void>> MetadataCatalog::create(Topic topic) {
  metadata::CreateTopic wanted{.name = std::move(topic.name),
                               .id = topic.id,
                               .partitions = topic.partitions,
                               .replication_factor = 1,
                               .configs = std::move(topic.configs),
                               .seed = env_.entropy.next()};
  Result<metadata::TopicCreated> made = co_await metadata_.ask(std::move(wanted));
  co_return verdict_of(made);
}

// First the partitions: settings alone are nothing that anybody would miss.
Task<Result<void>> MetadataCatalog::replace(Topic topic) {
  std::shared_ptr<const Topics> now = topics();
  const Topic* old = now->find(topic.id);
  if (!old) co_return fail(Errc::not_found, fmt::format("there is no topic '{}'", topic.name));
  if (topic.partitions > old->partitions) {
    metadata::CreatePartitions more{
        .topic = topic.name, .count = topic.partitions, .seed = env_.entropy.next()};
    Result<metadata::Verdict> done = co_await metadata_.ask(std::move(more));
    if (Result<void> verdict = verdict_of(done); !verdict) co_return verdict;
  }
  metadata::ChangeConfigs configs{.resource = {metadata::kTopicResource, topic.name}};
  for (const auto& [name, value] : old->configs)
    if (!topic.configs.contains(name)) configs.changes.push_back({name, std::nullopt});
  for (const auto& [name, value] : topic.configs) configs.changes.push_back({name, value});
  Result<metadata::Verdict> done = co_await metadata_.ask(std::move(configs));
  co_return verdict_of(done);
}

Task<Result<void>> MetadataCatalog::remove(std::string name) {
  std::shared_ptr<const Topics> now = topics();
  const Topic* topic = now->find(name);
  if (!topic) co_return fail(Errc::not_found, fmt::format("there is no topic '{}'", name));
  metadata::DeleteTopic wanted{topic->id};
  Result<metadata::Verdict> done = co_await metadata_.ask(wanted);
  co_return verdict_of(done);
}

Task<Result<void>> MetadataCatalog::take_block() {
  metadata::AllocateProducerIds wanted{.broker = us_, .epoch = member_.epoch()};
  Result<metadata::ProducerIdsAllocated> block = co_await metadata_.ask(wanted);
  if (Result<void> verdict = verdict_of(block); !verdict) co_return verdict;
  next_id_ = block->first;
  end_id_ = block->first + block->count;
  co_return Result<void>();
}

Task<Result<ProducerId>> MetadataCatalog::next_producer_id() {
  co_await block_.acquire(1);
  Result<void> there;
  if (next_id_ == end_id_) there = co_await take_block();
  ProducerId id(there ? next_id_++ : -1);
  block_.release(1);
  if (!there) co_return std::move(there.error());
  co_return id;
}

}  // namespace moldau::broker
