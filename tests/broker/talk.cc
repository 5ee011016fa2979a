#include "talk.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/varint.h"

namespace moldau::broker {

Out& Out::count(size_t v) {
  uint8_t bytes[kMaxVarint64];
  size_t n = write_varint(bytes, v);
  return raw(as_text(Bytes(bytes, n)));
}

std::string In::raw(size_t n) {
  EXPECT_LE(n, left()) << "the reply ends early";
  std::string out = bytes_.substr(at_, std::min(n, left()));
  at_ += out.size();
  out.resize(n);
  return out;
}

std::optional<std::string> In::text() {
  int16_t size = i16();
  if (size < 0) return std::nullopt;
  return raw(static_cast<size_t>(size));
}

size_t In::count() {
  size_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    auto byte = static_cast<uint8_t>(i8());
    value |= static_cast<size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return value;
}

std::optional<std::string> In::compact() {
  size_t size = count();
  if (size == 0) return std::nullopt;
  return raw(size - 1);
}

std::string In::blob() {
  int32_t size = i32();
  return size < 0 ? std::string() : raw(static_cast<size_t>(size));
}

Uuid In::uuid() {
  Uuid out;
  std::string bytes = raw(out.bytes.size());
  std::ranges::copy(as_bytes(bytes), out.bytes.begin());
  return out;
}

namespace {
void put_varint(Out& out, int64_t v) { out.count(zigzag(v)); }

std::string record(int index, const Batch& batch) {
  Out body;
  body.i8(0);
  put_varint(body, index);  // timestamp delta
  put_varint(body, index);  // offset delta
  put_varint(body, batch.key ? std::ssize(*batch.key) : -1);
  if (batch.key) body.raw(*batch.key);
  put_varint(body, static_cast<int64_t>(batch.value_size));
  body.raw(std::string(batch.value_size, batch.fill));
  put_varint(body, 0);  // no headers
  Out out;
  put_varint(out, static_cast<int64_t>(body.bytes().size()));
  return out.raw(body.bytes()).bytes();
}
}  // namespace

std::string Batch::bytes() const {
  Out covered;  // by the checksum
  covered.i16(attributes).i32(records - 1).i64(timestamp).i64(timestamp + records - 1);
  covered.i64(producer_id).i16(epoch).i32(sequence).i32(records);
  for (int i = 0; i < records; i++) covered.raw(record(i, *this));
  Out out;
  out.i64(0).i32(static_cast<int32_t>(covered.bytes().size() + 9)).i32(-1).i8(2);
  out.i32(static_cast<int32_t>(crc32c(as_bytes(covered.bytes()))));
  return out.raw(covered.bytes()).bytes();
}

std::string delete_records_request(std::string_view topic,
                                   const std::vector<std::pair<int32_t, int64_t>>& partitions) {
  Out out;
  out.i32(1).text(topic).i32(static_cast<int32_t>(partitions.size()));
  for (auto [index, offset] : partitions) out.i32(index).i64(offset);
  return out.i32(1000).bytes();
}

std::vector<RecordsDeleted> read_records_deleted(In reply) {
  std::vector<RecordsDeleted> out;
  reply.i32();
  if (reply.i32() < 1) return out;
  reply.text();
  for (int32_t left = reply.i32(); left > 0; left--) {
    RecordsDeleted& one = out.emplace_back();
    one.index = reply.i32();
    one.low_watermark = reply.i64();
    one.error = reply.i16();
  }
  return out;
}

std::string produce_request(std::string_view topic, int32_t partition, const std::string& records,
                            int16_t acks, std::optional<std::string> transactional_id) {
  Out out;
  if (transactional_id)
    out.text(*transactional_id);
  else
    out.no_text();
  return out.i16(acks).i32(1000).i32(1).text(topic).i32(1).i32(partition).blob(records).bytes();
}

Produced read_produced(In reply) {
  Produced out;
  if (reply.i32() < 1) return out;
  reply.text();
  if (reply.i32() < 1) return out;
  out.index = reply.i32();
  out.error = reply.i16();
  out.base = reply.i64();
  out.append_time = reply.i64();
  out.log_start = reply.i64();
  for (int32_t n = reply.i32(); n > 0; n--) {
    reply.i32();
    reply.text();
  }
  out.message = reply.text().value_or("");
  return out;
}

std::string FetchSpec::bytes() const {
  Out out;
  out.i32(-1)
      .i32(max_wait_ms)
      .i32(min_bytes)
      .i32(max_bytes)
      .i8(isolation)
      .i32(session_id)
      .i32(session_epoch);
  out.i32(1).text(topic).i32(static_cast<int32_t>(partitions.size()));
  for (const Partition& p : partitions)
    out.i32(p.index).i32(p.leader_epoch).i64(p.offset).i64(-1).i32(p.max_bytes);
  out.i32(1).text(topic).i32(static_cast<int32_t>(forgotten.size()));
  for (int32_t partition : forgotten) out.i32(partition);
  return out.text("").bytes();
}

FetchReply read_fetched(In reply) {
  FetchReply out;
  reply.i32();
  out.error = reply.i16();
  out.session_id = reply.i32();
  for (int32_t topics = reply.i32(); topics > 0; topics--) {
    reply.text();
    for (int32_t n = reply.i32(); n > 0; n--) {
      Fetched& p = out.partitions.emplace_back();
      p.index = reply.i32();
      p.error = reply.i16();
      p.high_watermark = reply.i64();
      p.last_stable = reply.i64();
      p.log_start = reply.i64();
      int32_t aborted = reply.i32();
      p.aborted_is_null = aborted < 0;
      for (; aborted > 0; aborted--) reply.raw(16);
      reply.i32();
      p.records = reply.blob();
    }
  }
  return out;
}

std::string create_request(const std::vector<NewTopic>& topics, int32_t timeout_ms,
                           bool validate_only) {
  Out out;
  out.i32(static_cast<int32_t>(topics.size()));
  for (const NewTopic& t : topics) {
    out.text(t.name)
        .i32(t.partitions)
        .i16(t.replication_factor)
        .i32(static_cast<int32_t>(t.assignments.size()));
    for (const auto& [index, brokers] : t.assignments) {
      out.i32(index).i32(static_cast<int32_t>(brokers.size()));
      for (int32_t id : brokers) out.i32(id);
    }
    out.i32(static_cast<int32_t>(t.configs.size()));
    for (const std::string& name : t.configs) out.text(name).text("1");
  }
  return out.i32(timeout_ms).i8(validate_only).bytes();
}

std::vector<TopicError> read_created(In reply) {
  std::vector<TopicError> out;
  reply.i32();
  for (int32_t n = reply.i32(); n > 0; n--) {
    TopicError& t = out.emplace_back();
    t.name = reply.text().value_or("(null)");
    t.error = reply.i16();
    t.message = reply.text().value_or("");
  }
  return out;
}

std::string delete_request(const std::vector<Doomed>& topics) {
  Out out;
  out.count(topics.size() + 1);
  for (const Doomed& t : topics) {
    if (t.name)
      out.compact(*t.name);
    else
      out.count(0);
    out.uuid(t.id).count(0);
  }
  return out.i32(1000).count(0).bytes();
}

std::vector<TopicError> read_deleted(In reply) {
  std::vector<TopicError> out;
  reply.i32();
  for (size_t n = reply.count(); n > 1; n--) {
    TopicError& t = out.emplace_back();
    t.name = reply.compact().value_or("(null)");
    reply.uuid();
    t.error = reply.i16();
    t.message = reply.compact().value_or("");
    reply.count();
  }
  return out;
}

std::string metadata_request(const std::vector<std::string>& topics, bool may_create) {
  Out out;
  out.i32(static_cast<int32_t>(topics.size()));
  for (const std::string& name : topics) out.text(name);
  return out.i8(may_create).i8(0).i8(0).bytes();
}
std::string metadata_request_all() { return Out().i32(-1).i8(1).i8(0).i8(0).bytes(); }

ClusterInfo read_metadata(In reply) {
  ClusterInfo out;
  reply.i32();
  for (int32_t n = reply.i32(); n > 0; n--) {
    reply.i32();
    out.host = reply.text().value_or("");
    out.port = reply.i32();
    reply.text();
  }
  out.cluster_id = reply.text().value_or("");
  out.controller = reply.i32();
  for (int32_t n = reply.i32(); n > 0; n--) {
    TopicInfo& topic = out.topics.emplace_back();
    topic.error = reply.i16();
    topic.name = reply.text().value_or("(null)");
    reply.i8();
    for (int32_t p = reply.i32(); p > 0; p--) {
      reply.i16();
      EXPECT_EQ(reply.i32(), std::ssize(topic.leaders));
      topic.leaders.push_back(reply.i32());
      reply.i32();
      for (int list = 0; list < 3; list++) reply.raw(4 * static_cast<size_t>(reply.i32()));
    }
    reply.i32();
  }
  return out;
}

std::string offsets_request(std::string_view topic, int32_t partition, int64_t timestamp,
                            int32_t leader_epoch) {
  Out out;
  out.i32(-1).i8(0).i32(1).text(topic).i32(1).i32(partition).i32(leader_epoch).i64(timestamp);
  return out.bytes();
}

FoundOffset read_offset(In reply) {
  FoundOffset out;
  reply.i32();
  if (reply.i32() < 1) return out;
  reply.text();
  if (reply.i32() < 1) return out;
  reply.i32();
  out.error = reply.i16();
  out.timestamp = reply.i64();
  out.offset = reply.i64();
  out.leader_epoch = reply.i32();
  return out;
}

}  // namespace moldau::broker
