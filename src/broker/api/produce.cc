// Produce: validates each partition's batch, appends, and answers when the append is committed:
// below the high watermark (acks=all), or on our own copy (acks=1; the same while we are the only
// one); with acks=0 not at all, an error closes the connection. The reply waits apart, so that the
// connection's next request begins meanwhile; replies keep their order. The request's timeout is
// for the other replicas, so it does not matter yet: our own disk is waited for as long as it
// takes, as in Kafka. A batch of an idempotent producer that is here already is answered as it was
// the first time, once it is committed. Transactional batches are INVALID_TXN_STATE until
// transactions are here (docs/status.md).
#include <fmt/format.h>

#include <algorithm>

#include "base/bug.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/internal_topics.h"
#include "broker/node.h"
#include "broker/services.h"
#include "broker/topic_config.h"
#include "host/clock.h"
#include "host/loop.h"
#include "replica/driver.h"
#include "wire/messages/produce.h"
#include "wire/produced_batch.h"

namespace moldau::broker {

using wire::ErrorCode;
using wire::ProduceRequest;
using wire::ProduceResponse;
using PartitionAnswer = ProduceResponse::PartitionProduceResponse;
using TopicAnswer = ProduceResponse::TopicProduceResponse;

namespace {

// Who may write to internal topics, as Kafka has it.
constexpr std::string_view kAdminClient = "__admin_client";

// An append that the reply waits for.
struct Pending {
  Partitions::Ref partition;
  log::Appended appended;
  PartitionAnswer* answer;
};

// A Produce request while it is answered. Its response lies in the request's arena.
struct Production : net::Later {
  Production(Node& n, RequestPtr r, const ProduceRequest& b)
      : node(n), request(std::move(r)), body(b) {}
  bool ready() const override;
  host::Task<net::Outgoing> finish() override;

  Node& node;
  RequestPtr request;
  ProduceRequest body;
  ProduceResponse response;
  std::vector<Pending> pending;
  wire::Inflater inflater;
  ErrorCode fault = ErrorCode::none;  // of the whole request
  bool failed = false;
};

Bytes records_of(const ProduceRequest::PartitionProduceData& data) { return data.records.bytes; }

void refuse(Production& p, PartitionAnswer& answer, ErrorCode error, std::string_view text = {}) {
  p.failed = true;
  answer.error_code = code(error);
  answer.base_offset = -1;
  if (!text.empty()) answer.error_message = p.request->arena.copy(text);
}

void refuse_batch(Production& p, PartitionAnswer& answer, const wire::BatchFault& fault,
                  const replica::Partition& partition) {
  refuse(p, answer, fault.error, fault.text);
  if (fault.in_log) answer.log_start_offset = partition.watermarks().log_start.value;
  Arena& arena = p.request->arena;
  auto errors = arena.array<ProduceResponse::BatchIndexAndErrorMessage>(fault.records.size());
  for (size_t i = 0; i < errors.size(); i++)
    errors[i] = {.batch_index = fault.records[i].index,
                 .batch_index_error_message = arena.copy(fault.records[i].text)};
  answer.record_errors = errors;
}

// What the log finds wrong with a producer has no text in Kafka's answers, and shows the log's
// start.
void refuse_append(Production& p, PartitionAnswer& answer, const Error& error,
                   const replica::Partition& partition) {
  bool producer = error.code() == Errc::out_of_sequence || error.code() == Errc::producer_fenced ||
                  error.code() == Errc::wrong_transaction_state;
  refuse(p, answer, to_kafka(error), producer ? std::string_view() : error.text());
  if (producer) answer.log_start_offset = partition.watermarks().log_start.value;
}

bool is_transactional(Bytes records) {
  constexpr size_t kMagicAt = 16, kAttributesAt = 21;
  constexpr int16_t kTransactional = 16;
  if (records.size() < kAttributesAt + 2 || records[kMagicAt] != 2) return false;
  return (load_be<int16_t>(records.data() + kAttributesAt) & kTransactional) != 0;
}

// What makes the request fail for all partitions, none if nothing does. Kafka looks at the first
// batch of each.
ErrorCode fault(const ProduceRequest& body) {
  for (const auto& topic : body.topic_data) {
    for (const auto& data : topic.partition_data) {
      if (!is_transactional(records_of(data))) continue;
      return body.transactional_id ? ErrorCode::invalid_txn_state
                                   : ErrorCode::transactional_id_authorization_failed;
    }
  }
  return body.acks < -1 || body.acks > 1 ? ErrorCode::invalid_required_acks : ErrorCode::none;
}

wire::ProducedBatch check(Production& p, const replica::Partition& partition, Bytes records,
                          WallTime now) {
  std::shared_ptr<const TopicPolicy> policy = p.node.partitions.policy(partition.topic());
  // Deleted a moment ago: the append will say so.
  if (!policy) policy = std::make_shared<const TopicPolicy>(topic_policy(p.node.config, {}));
  const TopicDefaults& topic = policy->rules;
  std::string name = fmt::format("{}-{}", partition.topic(), partition.index());
  wire::ProduceRules rules{.version = p.request->version,
                           .max_batch_bytes = policy->max_message_bytes,
                           .now = now,
                           .max_behind_millis = topic.timestamp_before_max_millis,
                           .max_ahead_millis = topic.timestamp_after_max_millis,
                           .timestamp_type = topic.timestamp_type,
                           .compacted = policy->log.clean.compact,
                           .codec = topic.codec,
                           .level = topic.compression_level,
                           .validation = topic.validation,
                           .partition = name};
  return wire::check_produced(p.request->writable(records), rules, p.inflater);
}

void count_failure(Production& p, const replica::Partition& partition) {
  p.node.services.metrics.enter(
      [&](Metrics& metrics) { metrics.produce_failed(partition.topic()); });
}

host::Task<void> append(Production& p, Partitions::Ref partition,
                        const ProduceRequest::PartitionProduceData& data, PartitionAnswer& answer) {
  Node& node = p.node;
  WallTime now = node.env.clock.wall();
  wire::ProducedBatch batch = check(p, *partition, data.records.bytes, now);
  if (batch.fault.error != ErrorCode::none) {
    refuse_batch(p, answer, batch.fault, *partition);
    count_failure(p, *partition);
    co_return;
  }
  if (batch.bytes.empty()) {  // Produce below 3 with nothing, or with less than one message
    answer.base_offset = -1;
    co_return;
  }
  Result<void> room = co_await partition->wait_for_room(node.env);
  if (!room) {
    refuse(p, answer, to_kafka(room.error()), room.error().text());
    co_return;
  }
  const BlockRef& block = batch.block ? batch.block : p.request->frame.block;
  Result<log::Appended> appended = partition->append(block, batch.bytes, now);
  if (!appended) {
    refuse_append(p, answer, appended.error(), *partition);
    count_failure(p, *partition);
    co_return;
  }
  node.services.metrics.enter([&](Metrics& metrics) {
    metrics.produced(partition->topic(), data.records.bytes.size(), batch.records);
  });
  answer.base_offset = appended->base.value;
  answer.log_append_time_ms = appended->duplicate ? appended->timestamp : batch.append_time;
  answer.log_start_offset = appended->log_start.value;
  p.pending.push_back({partition, *appended, &answer});
  co_await partition->write_out(node.env);
}

// The topic's name, or nothing if there is no such topic (only ids can be unknown here).
std::optional<std::string> topic_name(const Production& p,
                                      const ProduceRequest::TopicProduceData& topic) {
  if (p.request->version < 13) return std::string(topic.name);
  const std::shared_ptr<const Topics> topics = p.node.catalog.topics();
  const Topic* found = topics->find(topic.topic_id);
  return found ? std::optional(found->name) : std::nullopt;
}

host::Task<void> append_topic(Production& p, const ProduceRequest::TopicProduceData& topic,
                              TopicAnswer& answer) {
  std::span<PartitionAnswer> answers =
      p.request->arena.array<PartitionAnswer>(topic.partition_data.size());
  answer = {.name = topic.name, .topic_id = topic.topic_id, .partition_responses = answers};
  std::optional<std::string> name = topic_name(p, topic);
  for (size_t i = 0; i < answers.size(); i++) {
    const auto& data = topic.partition_data[i];
    answers[i].index = data.index;
    if (p.fault != ErrorCode::none) {
      refuse(p, answers[i], p.fault);
    } else if (name && is_internal(*name) && p.request->client_id != kAdminClient) {
      refuse(p, answers[i], ErrorCode::invalid_topic_exception);
    } else if (!name) {
      refuse(p, answers[i], ErrorCode::unknown_topic_id);
    } else if (Partitions::Ref partition = p.node.partitions.find(*name, data.index)) {
      co_await append(p, partition, data, answers[i]);
    } else {
      refuse(p, answers[i], p.node.partitions.absent(*name, data.index));
    }
  }
}

bool Production::ready() const {
  return std::ranges::all_of(pending,
                             [](const Pending& p) { return p.partition->committed(p.appended); });
}

host::Task<net::Outgoing> Production::finish() {
  for (Pending& p : pending) {
    if (p.partition->committed(p.appended)) continue;
    Result<void> committed = co_await p.partition->wait_committed(node.env, p.appended, kNever);
    if (!committed) refuse(*this, *p.answer, to_kafka(committed.error()), committed.error().text());
  }
  co_return reply(*request, response);
}

}  // namespace

Answer produce(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::ProduceRequest>(request->body, request->version, request->arena));
  auto p = std::make_unique<Production>(node, std::move(request), body);
  p->fault = fault(body);
  std::span<TopicAnswer> topics = p->request->arena.array<TopicAnswer>(body.topic_data.size());
  p->response.responses = topics;
  for (size_t i = 0; i < topics.size(); i++)
    co_await append_topic(*p, body.topic_data[i], topics[i]);
  net::Outgoing out;
  if (body.acks == 0) {
    if (p->failed)
      co_return fail(Errc::invalid,
                     "a produce request with acks=0 failed; closing is all that tells the client");
    co_return out;
  }
  if (p->pending.empty() || planted(Bug::ack_before_sync))
    co_return reply(*p->request, p->response);
  out.later = std::move(p);
  co_return out;
}

}  // namespace moldau::broker
