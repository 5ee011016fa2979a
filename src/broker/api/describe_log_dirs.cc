// DescribeLogDirs: the data directories, how much room they have, and how much of it each partition
// takes. An offline directory answers KAFKA_STORAGE_ERROR and shows no partitions. Kafka's cordoned
// directories (KIP-1066) do not exist here.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "host/disk.h"
#include "log/log_dirs.h"
#include "replica/driver.h"
#include "wire/messages/describe_log_dirs.h"

namespace moldau::broker {

using wire::DescribeLogDirsRequest;
using wire::DescribeLogDirsResponse;
using wire::ErrorCode;
using DirAnswer = DescribeLogDirsResponse::DescribeLogDirsResult;
using TopicAnswer = DescribeLogDirsResponse::DescribeLogDirsTopic;
using Held = DescribeLogDirsResponse::DescribeLogDirsPartition;

namespace {

// What was asked about; everything if nothing is named.
class Wanted {
 public:
  explicit Wanted(const DescribeLogDirsRequest& body) : all_(body.topics.is_null()) {
    for (const auto& topic : body.topics)
      for (int32_t partition : topic.partitions) named_[topic.topic].insert(partition);
  }
  bool contains(std::string_view topic, int32_t partition) const {
    if (all_) return true;
    auto found = named_.find(topic);
    return found != named_.end() && found->second.contains(partition);
  }

 private:
  bool all_;
  std::map<std::string_view, std::set<int32_t>> named_;
};

using Contents = std::map<std::string, std::vector<Held>>;  // by topic; of directories, by path
std::map<std::string, Contents> contents_of(const Node& node, const Wanted& wanted) {
  std::map<std::string, Contents> all;
  for (const Partitions::Ref& partition : node.partitions.all()) {
    int32_t index = partition->index().value;
    if (!wanted.contains(partition->topic(), index)) continue;
    const std::string& dir = partition->log().data_directory().path();
    all[dir][partition->topic()].push_back(
        {.partition_index = index, .partition_size = partition->log().size_bytes()});
  }
  return all;
}

wire::Array<TopicAnswer> to_topics(Arena& arena, const Contents& contents) {
  std::span<TopicAnswer> topics = arena.array<TopicAnswer>(contents.size());
  size_t t = 0;
  for (const auto& [name, partitions] : contents) {
    std::span<Held> held = arena.array<Held>(partitions.size());
    std::ranges::copy(partitions, held.begin());
    topics[t++] = {.name = arena.copy(name), .partitions = held};
  }
  return topics;
}

host::Task<DirAnswer> describe(Node& node, Arena& arena, const log::LogDirs::Place& place,
                               const Contents& contents) {
  DirAnswer answer{.log_dir = arena.copy(place.path)};
  Result<host::Space> space;
  bool works = place.dir && !place.dir->offline();
  if (works) space = co_await node.env.disk.space(place.path);
  if (!works || !space) {
    answer.error_code = code(ErrorCode::kafka_storage_error);
    co_return answer;
  }
  answer.topics = to_topics(arena, contents);
  answer.total_bytes = space->total;
  answer.usable_bytes = space->free;
  co_return answer;
}

}  // namespace

Answer describe_log_dirs(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<DescribeLogDirsRequest>(request->body, request->version, request->arena));
  Wanted wanted(body);
  std::map<std::string, Contents> contents = contents_of(node, wanted);
  const std::vector<log::LogDirs::Place>& places = node.partitions.dirs().places();
  std::span<DirAnswer> results = request->arena.array<DirAnswer>(places.size());
  for (size_t i = 0; i < places.size(); i++) {
    const Contents& in_it = contents[places[i].path];
    results[i] = co_await describe(node, request->arena, places[i], in_it);
  }
  DescribeLogDirsResponse answer{.results = results};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
