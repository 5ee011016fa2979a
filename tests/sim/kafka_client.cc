#include "kafka_client.h"

#include <fmt/format.h>

#include "host/loop.h"
#include "wire/frame.h"
#include "wire/messages/fetch.h"
#include "wire/messages/list_offsets.h"
#include "wire/messages/metadata.h"
#include "wire/messages/produce.h"

namespace moldau::kafka {

using host::Task;

namespace {
constexpr int16_t kMetadataVersion = 9, kProduceVersion = 9, kFetchVersion = 12,
                  kListOffsetsVersion = 5;
}

Client::Client(host::Env& env, host::Address broker) : env_(env), broker_(broker) {
  fire = [](host::Timer& timer) {
    auto& client = static_cast<Client&>(timer);
    if (client.connection_) client.connection_->close();
  };
}
Client::~Client() { env_.loop.disarm(*this); }

Task<Result<void>> Client::connect() {
  if (connection_) co_return Result<void>();
  CO_TRY(connection, net::ClientConnection::open(env_, pool_, broker_));
  connection_ = std::move(connection);
  co_return Result<void>();
}

// Runs an exchange against the clock; the deadline closes the connection under it.
template <class T>
Task<Result<T>> Client::guard(Task<Result<T>> exchange) {
  Result<void> connected = co_await connect();
  if (!connected) co_return std::move(connected.error());
  at = env_.loop.now() + patience_;
  env_.loop.arm(*this);
  Result<T> result = co_await std::move(exchange);
  env_.loop.disarm(*this);
  if (!result) connection_.reset();
  co_return std::move(result);
}

Task<Result<net::Frame>> Client::receive(int32_t correlation) {
  CO_TRY(frame, connection_->receive());
  if (frame.bytes.size() < 5 || load_be<int32_t>(frame.bytes.data()) != correlation)
    co_return moldau::fail(Errc::corrupt, "an answer to another request");
  co_return std::move(frame);
}

Task<Result<int32_t>> Client::partitions(std::string topic) {
  return guard(do_partitions(std::move(topic)));
}
Task<Result<std::vector<Produced>>> Client::produce(std::string topic, int32_t partition,
                                                    std::vector<std::vector<uint8_t>> batches) {
  return guard(do_produce(std::move(topic), partition, std::move(batches)));
}
Task<Result<std::vector<Fetched>>> Client::fetch(std::string topic, std::vector<FetchFrom> from,
                                                 FetchLimits limits) {
  return guard(do_fetch(std::move(topic), std::move(from), limits));
}
Task<Result<std::optional<Offset>>> Client::earliest(std::string topic, int32_t partition) {
  return guard(do_earliest(std::move(topic), partition));
}

Task<Result<int32_t>> Client::do_partitions(std::string topic) {
  wire::MetadataRequest::MetadataRequestTopic wanted{.name = topic};
  wire::MetadataRequest body{.topics = std::span(&wanted, 1)};
  Chain request;
  wire::encode_request(body, kMetadataVersion, ++correlation_, "sim", request);
  CO_TRY_(connection_->send(std::move(request)));
  CO_TRY(frame, receive(correlation_));
  Arena arena;
  TRY_CO(answer,
         wire::decode_response<wire::MetadataResponse>(frame.bytes, kMetadataVersion, arena));
  if (answer.topics.size() != 1 || answer.topics[0].error_code != 0) co_return 0;
  co_return static_cast<int32_t>(answer.topics[0].partitions.size());
}

Task<Result<std::vector<Produced>>> Client::do_produce(std::string topic, int32_t partition,
                                                       std::vector<std::vector<uint8_t>> batches) {
  int32_t first = correlation_ + 1;
  for (const std::vector<uint8_t>& batch : batches) {
    wire::ProduceRequest::PartitionProduceData data{.index = partition,
                                                    .records = {.bytes = batch}};
    wire::ProduceRequest::TopicProduceData named{.name = topic,
                                                 .partition_data = std::span(&data, 1)};
    wire::ProduceRequest body{.acks = -1, .timeout_ms = 30'000, .topic_data = std::span(&named, 1)};
    Chain request;
    wire::encode_request(body, kProduceVersion, ++correlation_, "sim", request);
    CO_TRY_(connection_->send(std::move(request)));
  }
  std::vector<Produced> out;
  for (size_t i = 0; i < batches.size(); i++) {
    CO_TRY(frame, receive(first + static_cast<int32_t>(i)));
    Arena arena;
    TRY_CO(answer,
           wire::decode_response<wire::ProduceResponse>(frame.bytes, kProduceVersion, arena));
    bool one = answer.responses.size() == 1 && answer.responses[0].partition_responses.size() == 1;
    if (!one) co_return moldau::fail(Errc::corrupt, "not the one partition that was asked for");
    const auto& partition_answer = answer.responses[0].partition_responses[0];
    out.push_back({partition_answer.error_code, Offset(partition_answer.base_offset)});
  }
  co_return out;
}

Task<Result<std::optional<Offset>>> Client::do_earliest(std::string topic, int32_t partition) {
  constexpr int64_t kEarliest = -2;
  wire::ListOffsetsRequest::ListOffsetsPartition asked{.partition_index = partition,
                                                       .timestamp = kEarliest};
  wire::ListOffsetsRequest::ListOffsetsTopic named{.name = topic,
                                                   .partitions = std::span(&asked, 1)};
  wire::ListOffsetsRequest body{.replica_id = -1, .topics = std::span(&named, 1)};
  Chain request;
  wire::encode_request(body, kListOffsetsVersion, ++correlation_, "sim", request);
  CO_TRY_(connection_->send(std::move(request)));
  CO_TRY(frame, receive(correlation_));
  Arena arena;
  TRY_CO(answer,
         wire::decode_response<wire::ListOffsetsResponse>(frame.bytes, kListOffsetsVersion, arena));
  bool one = answer.topics.size() == 1 && answer.topics[0].partitions.size() == 1;
  if (!one) co_return moldau::fail(Errc::corrupt, "not the one partition that was asked for");
  const auto& found = answer.topics[0].partitions[0];
  if (found.error_code != 0) co_return std::optional<Offset>();
  co_return std::optional(Offset(found.offset));
}

Task<Result<std::vector<Fetched>>> Client::do_fetch(std::string topic, std::vector<FetchFrom> from,
                                                    FetchLimits limits) {
  Arena arena;
  auto asked = arena.array<wire::FetchRequest::FetchPartition>(from.size());
  for (size_t i = 0; i < from.size(); i++) {
    asked[i].partition = from[i].partition;
    asked[i].fetch_offset = from[i].offset.value;
    asked[i].partition_max_bytes = limits.partition_bytes;
  }
  wire::FetchRequest::FetchTopic named{.topic = topic, .partitions = asked};
  wire::FetchRequest body{.max_wait_ms = limits.max_wait_ms,
                          .min_bytes = limits.min_bytes,
                          .max_bytes = limits.max_bytes,
                          .topics = std::span(&named, 1)};
  Chain request;
  wire::encode_request(body, kFetchVersion, ++correlation_, "sim", request);
  CO_TRY_(connection_->send(std::move(request)));
  CO_TRY(frame, receive(correlation_));
  TRY_CO(answer, wire::decode_response<wire::FetchResponse>(frame.bytes, kFetchVersion, arena));
  std::vector<Fetched> out;
  for (const auto& answered : answer.responses)
    for (const auto& p : answered.partitions) {
      Bytes records = p.records.bytes;
      out.push_back({p.error_code,
                     p.partition_index,
                     Offset(p.high_watermark),
                     {records.begin(), records.end()}});
    }
  if (answer.error_code != 0 || out.size() != from.size())
    co_return moldau::fail(Errc::corrupt, "not the partitions that were asked for");
  co_return out;
}

}  // namespace moldau::kafka
