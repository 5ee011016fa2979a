// Fetch: batches from an offset on, below the high watermark. Waits until enough bytes are there or
// the time is up: the handler is a suspended task that the partitions wake. In a session (KIP-227,
// broker/fetch_sessions.h) the request says what has changed of what is wanted, and the answer what
// has changed of what there is. From memory only whole batches are sent, where Kafka fills up the
// limit with a piece of the next one, which clients throw away. A reader at isolation
// read_committed gets nothing above the last stable offset, and is told of the aborted transactions
// among what it gets.
#include <algorithm>
#include <map>

#include "base/bug.h"
#include "broker/api/fetch_old.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "broker/services.h"
#include "host/entropy.h"
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
constexpr int16_t kFirstWithIds = 13;
constexpr int32_t kNewSession = 0;     // as an epoch: a full fetch that begins one
constexpr int32_t kEndOfSession = -1;  // and one without

struct Wanted {
  FetchWish wish;
  Partitions::Ref partition;  // empty: error says why
  ErrorCode error = ErrorCode::none;
};

// What there is to say of a partition beside its watermarks.
struct Found {
  size_t index = 0;  // of what was wanted
  ErrorCode error = ErrorCode::none;
  std::optional<log::EpochEnd> diverging;  // where the consumer's log left ours (KIP-595)
  log::ReadResult read;
  log::AbortedList aborted;  // among what was read
};

// One attempt to answer. Partitions with nothing new have no Found.
struct Attempt {
  std::vector<FetchTold> told;  // of each that was wanted
  std::vector<Found> found;     // in the same order
  size_t bytes = 0;
  bool failed = false;
};

enum class Mode : uint8_t { full, opening, incremental };

struct Fetching {
  Node& node;
  RequestPtr request;
  FetchRequest body;
  Mode mode = Mode::full;
  int32_t session = kNoSession;
  std::vector<Wanted> wanted = {};
  bool by_id() const { return request->version >= kFirstWithIds; }
  bool committed_only() const { return body.isolation_level == kReadCommitted; }
};

ErrorCode check_epoch(int32_t asked, LeaderEpoch current) {
  if (asked < 0 || asked == current.value) return ErrorCode::none;
  return asked < current.value ? ErrorCode::fenced_leader_epoch : ErrorCode::unknown_leader_epoch;
}

template <class Named>
FetchTopicRef topic_of(const Fetching& f, const Topics& topics, const Named& named) {
  FetchTopic topic;
  if (f.by_id()) {
    topic.id = named.topic_id;
    if (const Topic* found = topics.find(topic.id)) topic.name = found->name;
  } else {
    topic.name = std::string(named.topic);
  }
  return std::make_shared<const FetchTopic>(std::move(topic));
}

// What the request names, each partition once: of one that is named twice the last counts.
std::vector<FetchWish> wishes_of(const Fetching& f, const Topics& topics) {
  std::vector<FetchWish> wishes;
  std::map<std::tuple<Uuid, std::string_view, int32_t>, size_t> places;
  for (const auto& named : f.body.topics) {
    FetchTopicRef topic = topic_of(f, topics, named);
    for (const auto& asked : named.partitions) {
      auto [place, fresh] = places.emplace(
          std::tuple(topic->id, topic->id.is_zero() ? named.topic : "", asked.partition),
          wishes.size());
      if (fresh) wishes.emplace_back();
      wishes[place->second] = {.topic = topic,
                               .partition = asked.partition,
                               .leader_epoch = asked.current_leader_epoch,
                               .last_fetched_epoch = asked.last_fetched_epoch,
                               .max_bytes = asked.partition_max_bytes,
                               .offset = asked.fetch_offset};
    }
  }
  return wishes;
}

std::vector<FetchWish> forgotten_of(const Fetching& f, const Topics& topics) {
  std::vector<FetchWish> forgotten;
  for (const auto& named : f.body.forgotten_topics_data) {
    FetchTopicRef topic = topic_of(f, topics, named);
    for (int32_t partition : named.partitions)
      forgotten.push_back({.topic = topic, .partition = partition});
  }
  return forgotten;
}

// The partitions that this request is about; those of a session that goes on are all of its.
ErrorCode begin(Fetching& f) {
  std::shared_ptr<const Topics> topics = f.node.catalog.topics();
  std::vector<FetchWish> wishes = wishes_of(f, *topics);
  bool full = f.body.session_epoch == kNewSession || f.body.session_epoch == kEndOfSession;
  if (full) {
    f.mode = f.body.session_epoch == kNewSession ? Mode::opening : Mode::full;
    f.node.services.fetch_sessions.enter([&](FetchSessions& all) { all.close(f.body.session_id); });
  } else {
    f.mode = Mode::incremental;
    FetchSessions::Request next{.id = f.body.session_id,
                                .epoch = f.body.session_epoch,
                                .by_id = f.by_id(),
                                .wishes = std::move(wishes),
                                .forgotten = forgotten_of(f, *topics)};
    Instant now = f.node.env.loop.now();
    FetchSessions::Begun begun = f.node.services.fetch_sessions.enter(
        [&](FetchSessions& all) { return all.begin(std::move(next), now); });
    if (begun.error != ErrorCode::none) return begun.error;
    f.session = begun.id;
    if (f.session == kNoSession) f.mode = Mode::full;  // nothing is left in it
    wishes = std::move(begun.wishes);
  }
  f.wanted.reserve(wishes.size());
  for (FetchWish& wish : wishes) f.wanted.push_back({std::move(wish), {}});
  return ErrorCode::none;
}

void find_all(Fetching& f) {
  std::shared_ptr<const Topics> topics = f.node.catalog.topics();
  const FetchTopic* last = nullptr;
  std::optional<std::string> name;
  for (Wanted& wanted : f.wanted) {
    if (wanted.wish.topic.get() != last) {
      last = wanted.wish.topic.get();
      const Topic* topic = f.by_id() ? topics->find(last->id) : nullptr;
      if (!f.by_id())
        name = last->name;
      else
        name = topic ? std::optional(topic->name) : std::nullopt;
    }
    if (!name) {  // in a session the topic may have gone meanwhile
      wanted.error =
          last->name.empty() ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition;
      continue;
    }
    wanted.partition = f.node.partitions.find(*name, wanted.wish.partition);
    if (!wanted.partition) wanted.error = f.node.partitions.absent(*name, wanted.wish.partition);
    if (wanted.partition)
      wanted.error =
          check_epoch(wanted.wish.leader_epoch, wanted.partition->watermarks().leader_epoch);
  }
}

// What the consumer read last is not in our log, or cannot be told. Kafka looks at this before the
// offset.
void look_for_divergence(const Wanted& wanted, Found& found) {
  if (wanted.wish.last_fetched_epoch < 0) return;
  LeaderEpoch last(wanted.wish.last_fetched_epoch);
  std::optional<log::EpochEnd> end = wanted.partition->epoch_end(last);
  if (!end)
    found.error = ErrorCode::offset_out_of_range;
  else if (end->epoch < last || end->end < Offset(wanted.wish.offset))
    found.diverging = end;
}

// Most partitions of a large session most of the time: known without a read.
bool nothing_new(const Fetching& f, const Wanted& wanted, const replica::Watermarks& marks) {
  if (wanted.wish.last_fetched_epoch >= 0 || wanted.wish.max_bytes < 0 || f.body.max_bytes < 0)
    return false;
  if (wanted.partition->retired() || wanted.partition->log().offline()) return false;
  Offset from(wanted.wish.offset);
  Offset limit = f.committed_only() ? marks.last_stable : marks.high_watermark;
  return from >= limit && from >= marks.log_start && from <= marks.high_watermark;
}

// Reads what there is into `found`, or says there what is wrong.
host::Task<void> read_one(Fetching& f, const Attempt& attempt, const Wanted& wanted, Found& found) {
  int32_t max_bytes = wanted.wish.max_bytes;
  if (f.body.max_bytes < 0 || max_bytes < 0) {
    found.error = ErrorCode::unknown_server_error;
    co_return;
  }
  look_for_divergence(wanted, found);
  if (found.error != ErrorCode::none || found.diverging) co_return;
  size_t budget = static_cast<size_t>(std::min(f.body.max_bytes, f.node.config.fetch_max_bytes));
  size_t left = attempt.bytes < budget ? budget - attempt.bytes : 0;
  Offset from(wanted.wish.offset);
  // One whole batch, however large, or a small limit would stop a consumer for ever.
  replica::Partition::Bounds bounds{.max_bytes = std::min(left, static_cast<size_t>(max_bytes)),
                                    .at_least_one = attempt.bytes == 0,
                                    .committed_only = f.committed_only()};
  Result<log::ReadResult> read = co_await wanted.partition->read(f.node.env, from, bounds);
  Result<log::AbortedList> aborted;
  if (read && read->bytes > 0 && bounds.committed_only) {
    Offset upper = read->upper;
    aborted = co_await wanted.partition->aborted(f.node.env, from, upper);
  }
  if (read && f.request->version < kFirstOfFormat2) {
    Result<void> converted = co_await convert_read(*read, f.request->version, from);
    if (!converted) {
      found.error = converted.error().code() == Errc::unsupported
                        ? ErrorCode::unsupported_compression_type
                        : to_kafka(converted.error());
      co_return;
    }
  }
  if (read && aborted) {
    found.read = std::move(*read);
    found.aborted = std::move(*aborted);
  } else {
    found.error = to_kafka(read ? aborted.error() : read.error());
  }
}

host::Task<Attempt> attempt_all(Fetching& f) {
  Attempt out;
  out.told.resize(f.wanted.size());
  for (size_t i = 0; i < f.wanted.size(); i++) {
    const Wanted& wanted = f.wanted[i];
    Found found{.index = i, .error = wanted.error, .diverging = {}, .read = {}, .aborted = {}};
    replica::Watermarks marks;
    if (found.error == ErrorCode::none) {
      marks = wanted.partition->watermarks();
      bool quiet = nothing_new(f, wanted, marks);
      if (!quiet) {
        co_await read_one(f, out, wanted, found);
        marks = wanted.partition->watermarks();
      }
    }
    FetchTold& told = out.told[i];
    told.failed = found.error != ErrorCode::none;
    told.diverging = found.diverging.has_value();
    told.records = found.read.bytes > 0;
    if (!told.failed) {
      told.high_watermark = marks.high_watermark.value;
      told.last_stable = marks.last_stable.value;
      told.log_start = marks.log_start.value;
    }
    out.failed |= told.failed || told.diverging;
    out.bytes += found.read.bytes;
    if (told.failed || told.diverging || told.records) out.found.push_back(std::move(found));
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

PartitionAnswer to_answer(Fetching& f, size_t index, const FetchTold& told, Found* found,
                          net::Outgoing& files) {
  using Aborted = wire::Array<FetchResponse::AbortedTransaction>;
  const Wanted& wanted = f.wanted[index];
  PartitionAnswer answer{.partition_index = wanted.wish.partition};
  if (found && found->error != ErrorCode::none) {
    answer.error_code = code(found->error);
    answer.high_watermark = -1;
    if (wanted.partition && !f.committed_only()) answer.aborted_transactions = Aborted::null();
    return answer;
  }
  answer.high_watermark = told.high_watermark;
  answer.last_stable_offset = told.last_stable;
  answer.log_start_offset = told.log_start;
  if (!f.committed_only()) answer.aborted_transactions = Aborted::null();
  if (!found) {
    answer.records = wire::Records{};
    return answer;
  }
  if (f.committed_only())
    answer.aborted_transactions = to_aborted(f.request->arena, found->aborted);
  if (found->diverging)
    answer.diverging_epoch = {.epoch = found->diverging->epoch.value,
                              .end_offset = found->diverging->end.value};
  answer.records = to_records(f.request->arena, found->read, files);
  return answer;
}

// Those to tell of, in order; the ones that are not here come last, as Kafka does it.
std::vector<size_t> order_of(const Fetching& f, const std::vector<bool>& tell) {
  std::vector<size_t> order;
  for (bool here : {true, false})
    for (size_t i = 0; i < f.wanted.size(); i++)
      if (tell[i] && (f.wanted[i].partition != nullptr) == here) order.push_back(i);
  return order;
}

bool same_topic(const FetchTopic& a, const FetchTopic& b) {
  return &a == &b || (a.id == b.id && a.key() == b.key());
}

net::Outgoing to_reply(Fetching& f, Attempt& attempt, const std::vector<bool>& tell) {
  Arena& arena = f.request->arena;
  net::Outgoing files;
  std::vector<size_t> order = order_of(f, tell);
  std::span<PartitionAnswer> partitions = arena.array<PartitionAnswer>(order.size());
  std::vector<TopicAnswer> topics;
  const FetchTopic* last = nullptr;
  size_t first = 0;  // of the topic
  for (size_t i = 0; i < order.size(); i++) {
    size_t index = order[i];
    auto found = std::ranges::lower_bound(attempt.found, index, {}, &Found::index);
    bool has = found != attempt.found.end() && found->index == index;
    partitions[i] = to_answer(f, index, attempt.told[index], has ? &*found : nullptr, files);
    const FetchTopic& topic = *f.wanted[index].wish.topic;
    if (!last || !same_topic(*last, topic)) {
      topics.push_back({.topic = topic.name, .topic_id = topic.id});
      first = i;
    }
    last = &topic;
    topics.back().partitions = partitions.subspan(first, i + 1 - first);
  }
  FetchResponse answer{.session_id = f.session, .responses = std::span<TopicAnswer>(topics)};
  net::Outgoing out = reply(*f.request, answer);
  out.files = std::move(files.files);
  return out;
}

// What is told of the partitions that are here, whether by records or by an error.
void count(const Fetching& f, const Attempt& attempt) {
  f.node.services.metrics.enter([&](Metrics& metrics) {
    for (const Found& found : attempt.found) {
      const Wanted& wanted = f.wanted[found.index];
      if (!wanted.partition) continue;
      if (found.error != ErrorCode::none)
        metrics.fetch_failed(wanted.partition->topic());
      else
        metrics.fetched(wanted.partition->topic(), found.read.bytes);
    }
  });
}

void open_session(Fetching& f, const std::vector<FetchTold>& told) {
  std::vector<FetchWish> wishes;
  for (const Wanted& wanted : f.wanted) wishes.push_back(wanted.wish);
  int32_t replica = std::max(f.body.replica_id, f.body.replica_state.replica_id);
  FetchSessions::Opening opening{.follower = replica >= 0, .by_id = f.by_id()};
  Instant now = f.node.env.loop.now();
  f.session = f.node.services.fetch_sessions.enter([&](FetchSessions& all) {
    while (opening.candidate == kNoSession || all.contains(opening.candidate))
      opening.candidate = static_cast<int32_t>(f.node.env.entropy.next() >> 33);
    return all.open(opening, std::move(wishes), told, now);
  });
}

// The answer to what was found, by the session's rules.
net::Outgoing finish(Fetching& f, Attempt attempt) {
  count(f, attempt);
  std::vector<bool> tell(f.wanted.size(), true);
  if (f.mode == Mode::opening) open_session(f, attempt.told);
  bool ours = true;
  if (f.mode == Mode::incremental)
    ours = f.node.services.fetch_sessions.enter([&](FetchSessions& all) {
      return all.finish(f.session, f.body.session_epoch, attempt.told, tell);
    });
  if (ours) return to_reply(f, attempt, tell);
  return reply(*f.request,
               FetchResponse{.error_code = code(ErrorCode::invalid_fetch_session_epoch)});
}

void watch_all(Fetching& f, host::WaitSet& changes) {
  for (Wanted& wanted : f.wanted)
    if (wanted.partition) changes.watch(wanted.partition->moved());
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
        attempt.failed || attempt.bytes >= enough || f.body.max_wait_ms <= 0 || f.wanted.empty();
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

// Kafka lists the partitions with the error up to version 12, and not from 13 on.
net::Outgoing refuse(Request& request, const FetchRequest& body, ErrorCode error) {
  FetchResponse answer{.error_code = code(error)};
  bool list = request.version < kFirstWithIds;
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
  if (body.isolation_level < 0 || body.isolation_level > kReadCommitted)
    co_return refuse(*request, body, ErrorCode::unknown_server_error);
  Fetching f{node, std::move(request), body};
  ErrorCode error = begin(f);
  if (error != ErrorCode::none)
    co_return reply(*f.request, FetchResponse{.error_code = code(error)});
  find_all(f);
  Attempt attempt = co_await attempt_until_enough(f);
  co_return finish(f, std::move(attempt));
}

}  // namespace moldau::broker
