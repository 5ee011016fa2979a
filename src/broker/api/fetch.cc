// Fetch: batches from an offset on, below the high watermark. Waits until enough bytes are there or
// the time is up: the handler is a suspended task that the partitions wake. Every answer is a full
// one: incremental sessions (KIP-227) are declined with session id 0, as Kafka does when its cache
// is full. From memory only whole batches are sent, where Kafka fills up the limit with a piece of
// the next one, which clients throw away. A reader at isolation read_committed gets nothing above
// the last stable offset, and is told of the aborted transactions among what it gets.
#include <algorithm>
#include <map>

#include "base/bug.h"
#include "broker/api/fetch_old.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "host/loop.h"
#include "host/wait_set.h"
#include "replica/driver.h"
#include "wire/messages/fetch.h"

namespace moldau::broker {

using wire::ErrorCode;
using wire::FetchRequest;
using wire::FetchResponse;
using PartitionAnswer = FetchResponse::PartitionData;
using TopicAnswer = FetchResponse::FetchableTopicResponse;

namespace {

constexpr int8_t kReadCommitted = 1;

struct Wanted {
  const FetchRequest::FetchPartition* asked;
  Partitions::Ref partition;  // empty: error says why
  ErrorCode error = ErrorCode::none;
  std::optional<log::EpochEnd> diverging;  // where the consumer's log left ours (KIP-595)
  log::AbortedList aborted;                // among what was read
};
struct WantedTopic {
  const FetchRequest::FetchTopic* asked;
  std::vector<Wanted> partitions;
};

// One attempt to answer: what was read, and whether it is worth answering now.
struct Attempt {
  std::vector<std::vector<log::ReadResult>> reads;  // by topic, by partition
  std::vector<std::vector<Wanted>> states;          // the same, with the errors of this attempt
  std::vector<std::vector<replica::Watermarks>> watermarks;
  size_t bytes = 0;
  bool failed = false;
};

struct Fetching {
  Node& node;
  RequestPtr request;
  FetchRequest body;
  std::vector<WantedTopic> topics;
};

ErrorCode check_epoch(int32_t asked, LeaderEpoch current) {
  if (asked < 0 || asked == current.value) return ErrorCode::none;
  return asked < current.value ? ErrorCode::fenced_leader_epoch : ErrorCode::unknown_leader_epoch;
}

Wanted find(const Node& node, const std::optional<std::string>& topic,
            const FetchRequest::FetchPartition& asked) {
  if (!topic) return {&asked, {}, ErrorCode::unknown_topic_id};
  Partitions::Ref partition = node.partitions.find(*topic, asked.partition);
  if (!partition) return {&asked, {}, node.partitions.absent(*topic, asked.partition)};
  ErrorCode error = check_epoch(asked.current_leader_epoch, partition->watermarks().leader_epoch);
  return {&asked, std::move(partition), error};
}

void find_all(Fetching& f) {
  std::shared_ptr<const Topics> topics = f.node.catalog.topics();
  for (const auto& asked : f.body.topics) {
    std::optional<std::string> name(asked.topic);
    if (f.request->version >= 13) {
      const Topic* topic = topics->find(asked.topic_id);
      name = topic ? std::optional(topic->name) : std::nullopt;
    }
    WantedTopic& wanted = f.topics.emplace_back(&asked);
    std::map<int32_t, size_t> places;
    for (const auto& partition : asked.partitions) {
      auto [place, fresh] = places.emplace(partition.partition, wanted.partitions.size());
      if (fresh) wanted.partitions.emplace_back();
      wanted.partitions[place->second] =
          find(f.node, name, partition);  // of one that is named twice, the last counts
    }
  }
}

// True: what the consumer read last is not in our log, or cannot be told. Kafka looks at this
// before the offset.
bool diverges(Wanted& wanted) {
  LeaderEpoch last(wanted.asked->last_fetched_epoch);
  std::optional<log::EpochEnd> end = wanted.partition->epoch_end(last);
  if (!end)
    wanted.error = ErrorCode::offset_out_of_range;
  else if (end->epoch < last || end->end < Offset(wanted.asked->fetch_offset))
    wanted.diverging = end;
  return !end || wanted.diverging;
}

host::Task<log::ReadResult> read_one(Fetching& f, Attempt& attempt, Wanted& wanted,
                                     replica::Watermarks& marks) {
  log::ReadResult none;
  if (f.body.max_bytes < 0 || wanted.asked->partition_max_bytes < 0) {
    wanted.error = ErrorCode::unknown_server_error;
    co_return none;
  }
  marks = wanted.partition->watermarks();
  if (wanted.asked->last_fetched_epoch >= 0 && diverges(wanted)) co_return none;
  size_t budget = static_cast<size_t>(std::min(f.body.max_bytes, f.node.config.fetch_max_bytes));
  size_t left = attempt.bytes < budget ? budget - attempt.bytes : 0;
  size_t limit = std::min(left, static_cast<size_t>(wanted.asked->partition_max_bytes));
  bool first =
      attempt.bytes ==
      0;  // one whole batch, however large, or a small limit would stop a consumer for ever
  Offset from(wanted.asked->fetch_offset);
  replica::Partition::Bounds bounds{.max_bytes = limit,
                                    .at_least_one = first,
                                    .committed_only = f.body.isolation_level == kReadCommitted};
  Result<log::ReadResult> read = co_await wanted.partition->read(f.node.env, from, bounds);
  Result<log::AbortedList> aborted;
  if (read && read->bytes > 0 && bounds.committed_only) {
    Offset upper = read->upper;
    aborted = co_await wanted.partition->aborted(f.node.env, from, upper);
  }
  marks = wanted.partition->watermarks();
  if (read && f.request->version < kFirstOfFormat2) {
    Result<void> converted = co_await convert_read(*read, f.request->version, from);
    if (!converted) {
      wanted.error = converted.error().code() == Errc::unsupported
                         ? ErrorCode::unsupported_compression_type
                         : to_kafka(converted.error());
      co_return none;
    }
  }
  if (read && aborted) {
    wanted.aborted = std::move(*aborted);
    co_return std::move(*read);
  }
  wanted.error = to_kafka(read ? aborted.error() : read.error());
  co_return none;
}

host::Task<Attempt> attempt_all(Fetching& f) {
  Attempt out;
  for (WantedTopic& topic : f.topics) {
    auto& reads = out.reads.emplace_back();
    auto& states = out.states.emplace_back(topic.partitions);
    auto& marks = out.watermarks.emplace_back(topic.partitions.size());
    for (size_t i = 0; i < states.size(); i++) {
      log::ReadResult read;
      if (states[i].error == ErrorCode::none) read = co_await read_one(f, out, states[i], marks[i]);
      out.failed |= states[i].error != ErrorCode::none || states[i].diverging;
      out.bytes += read.bytes;
      reads.push_back(std::move(read));
    }
  }
  co_return out;
}

// The records as pieces of the reply; file ranges are numbered in out.files. The pieces view
// `read`.
wire::Records to_records(Arena& arena, log::ReadResult& read, net::Outgoing& out) {
  std::span<wire::RecordsPiece> pieces = arena.array<wire::RecordsPiece>(read.pieces.size());
  for (size_t i = 0; i < pieces.size(); i++) {
    log::ReadPiece& piece = read.pieces[i];
    if (!piece.file) {
      pieces[i].shared = &piece.bytes;
      continue;
    }
    pieces[i] = {.file = static_cast<int32_t>(out.files.size()),
                 .position = piece.position,
                 .length = piece.length};
    out.files.push_back(std::move(piece.file));
  }
  return {.pieces = pieces};
}

wire::Array<FetchResponse::AbortedTransaction> to_aborted(Arena& arena,
                                                          const log::AbortedList& list) {
  std::span<FetchResponse::AbortedTransaction> out =
      arena.array<FetchResponse::AbortedTransaction>(list.size());
  for (size_t i = 0; i < out.size(); i++)
    out[i] = {.producer_id = list[i].producer.value, .first_offset = list[i].first.value};
  return out;
}

PartitionAnswer to_answer(Fetching& f, const Wanted& wanted, const replica::Watermarks& marks,
                          log::ReadResult& read, net::Outgoing& files) {
  PartitionAnswer answer{.partition_index = wanted.asked->partition,
                         .error_code = code(wanted.error)};
  if (wanted.error != ErrorCode::none) {
    answer.high_watermark = -1;
    if (wanted.partition && f.body.isolation_level != kReadCommitted)
      answer.aborted_transactions = wire::Array<FetchResponse::AbortedTransaction>::null();
    return answer;
  }
  answer.high_watermark = marks.high_watermark.value;
  answer.last_stable_offset = marks.last_stable.value;
  answer.log_start_offset = marks.log_start.value;
  if (f.body.isolation_level != kReadCommitted)
    answer.aborted_transactions = wire::Array<FetchResponse::AbortedTransaction>::null();
  else
    answer.aborted_transactions = to_aborted(f.request->arena, wanted.aborted);
  if (wanted.diverging)
    answer.diverging_epoch = {.epoch = wanted.diverging->epoch.value,
                              .end_offset = wanted.diverging->end.value};
  answer.records = to_records(f.request->arena, read, files);
  return answer;
}

net::Outgoing to_reply(Fetching& f, Attempt attempt) {
  Arena& arena = f.request->arena;
  net::Outgoing files;
  std::span<TopicAnswer> topics = arena.array<TopicAnswer>(f.topics.size());
  for (size_t t = 0; t < topics.size(); t++) {
    std::span<PartitionAnswer> partitions = arena.array<PartitionAnswer>(attempt.states[t].size());
    for (size_t i = 0; i < partitions.size(); i++)
      partitions[i] =
          to_answer(f, attempt.states[t][i], attempt.watermarks[t][i], attempt.reads[t][i], files);
    topics[t] = {.topic = f.topics[t].asked->topic,
                 .topic_id = f.topics[t].asked->topic_id,
                 .partitions = partitions};
  }
  net::Outgoing out = reply(*f.request, FetchResponse{.responses = topics});
  out.files = std::move(files.files);
  return out;
}

void watch_all(Fetching& f, host::WaitSet& changes) {
  for (WantedTopic& topic : f.topics)
    for (Wanted& wanted : topic.partitions)
      if (wanted.partition) changes.watch(wanted.partition->moved());
}

bool asks_for_nothing(const Fetching& f) {
  return std::ranges::all_of(f.topics,
                             [](const WantedTopic& topic) { return topic.partitions.empty(); });
}

// Waits until the attempt is worth an answer.
host::Task<Attempt> attempt_until_enough(Fetching& f) {
  Instant deadline = f.node.env.loop.now() + milliseconds(std::max(f.body.max_wait_ms, 0));
  size_t enough = static_cast<size_t>(std::max(f.body.min_bytes, 0));
  std::optional<host::WaitSet> changes(f.node.env.loop);
  watch_all(f, *changes);  // first register, then look: nothing that happens in between is missed
  for (;;) {
    Attempt attempt = co_await attempt_all(f);
    bool done =
        attempt.failed || attempt.bytes >= enough || f.body.max_wait_ms <= 0 || asks_for_nothing(f);
    if (done) co_return attempt;
    if (planted(Bug::poll_misses_wakeup)) [[unlikely]] {
      co_await f.node.env.loop.sleep(
          milliseconds(2));  // other work; else one run in thousands shows it
      changes.emplace(f.node.env.loop);
      watch_all(f, *changes);
    }
    bool raised = co_await changes->wait_until(deadline);
    if (!raised) co_return co_await attempt_all(f);
  }
}

// What makes the whole request fail, none if nothing does.
ErrorCode fault(const FetchRequest& body) {
  if (body.session_epoch > 0)
    return ErrorCode::fetch_session_id_not_found;  // we never open a session
  if (body.isolation_level < 0 || body.isolation_level > kReadCommitted)
    return ErrorCode::unknown_server_error;
  return ErrorCode::none;
}

// Kafka lists the partitions with the error up to version 12, and not from 13 on.
net::Outgoing refuse(Request& request, const FetchRequest& body, ErrorCode error) {
  FetchResponse answer{.error_code = code(error)};
  bool list = request.version < 13 && error == ErrorCode::unknown_server_error;
  std::span<TopicAnswer> topics = request.arena.array<TopicAnswer>(list ? body.topics.size() : 0);
  for (size_t t = 0; t < topics.size(); t++) {
    std::span<PartitionAnswer> partitions =
        request.arena.array<PartitionAnswer>(body.topics[t].partitions.size());
    for (size_t i = 0; i < partitions.size(); i++) {
      partitions[i].partition_index = body.topics[t].partitions[i].partition;
      partitions[i].error_code = code(error);
      partitions[i].high_watermark = -1;
    }
    topics[t] = {.topic = body.topics[t].topic, .partitions = partitions};
  }
  answer.responses = topics;
  return reply(request, answer);
}

}  // namespace

Answer fetch(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::FetchRequest>(request->body, request->version, request->arena));
  ErrorCode error = fault(body);
  if (error != ErrorCode::none) co_return refuse(*request, body, error);
  Fetching f{node, std::move(request), body, {}};
  find_all(f);
  Attempt attempt = co_await attempt_until_enough(f);
  co_return to_reply(f, std::move(attempt));
}

}  // namespace moldau::broker
