// Kafka's messages written and read by hand, field by field as the protocol's documentation lists
// them: what these tests say on the wire does not go through the code that they test. Lengths are
// the old ones; the compact ones of flexible versions are named so.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace moldau::broker {

// Appends fields: Out().i32(1).text("name").
class Out {
 public:
  Out& i8(int8_t v) { return number(v); }
  Out& i16(int16_t v) { return number(v); }
  Out& i32(int32_t v) { return number(v); }
  Out& i64(int64_t v) { return number(v); }
  Out& text(std::string_view v) { return i16(static_cast<int16_t>(v.size())).raw(v); }
  Out& no_text() { return i16(-1); }
  Out& blob(std::string_view v) { return i32(static_cast<int32_t>(v.size())).raw(v); }
  Out& compact(std::string_view v) { return count(v.size() + 1).raw(v); }
  Out& uuid(const Uuid& v) { return raw(as_text(Bytes(v.bytes))); }
  // An unsigned varint: a compact length is one more than the length, 0 is null; also a number of
  // tags.
  Out& count(size_t v);
  Out& raw(std::string_view v) {
    bytes_ += v;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  template <class T>
  Out& number(T v) {
    bytes_.append(sizeof v, '\0');
    store_be(reinterpret_cast<uint8_t*>(bytes_.data()) + bytes_.size() - sizeof v, v);
    return *this;
  }
  std::string bytes_;
};

// Reads fields; what is missing makes the test fail and reads as zero.
class In {
 public:
  explicit In(std::string bytes) : bytes_(std::move(bytes)) {}
  int8_t i8() { return number<int8_t>(); }
  int16_t i16() { return number<int16_t>(); }
  int32_t i32() { return number<int32_t>(); }
  int64_t i64() { return number<int64_t>(); }
  std::optional<std::string> text();
  std::optional<std::string> compact();
  std::string blob();  // null is empty
  Uuid uuid();
  size_t count();
  size_t left() const { return bytes_.size() - at_; }
  std::string raw(size_t n);

 private:
  template <class T>
  T number() {
    std::string bytes = raw(sizeof(T));
    return load_be<T>(reinterpret_cast<const uint8_t*>(bytes.data()));
  }
  std::string bytes_;
  size_t at_ = 0;
};

struct Batch {
  int records = 1;
  size_t value_size = 10;
  int64_t timestamp =
      1'700'000'000'000;  // of the first record; each next one is a millisecond later
  int16_t attributes = 0;
  int64_t producer_id = -1;
  int16_t epoch = -1;
  int32_t sequence = -1;
  char fill = 'v';
  std::optional<std::string> key = std::nullopt;  // of each record
  std::string bytes() const;
};

struct Produced {
  int32_t index = 0;
  int16_t error = 0;
  int64_t base = 0;
  int64_t append_time = 0;
  int64_t log_start = 0;
  std::string message;
  auto operator<=>(const Produced&) const = default;
};
// Version 8.
std::string produce_request(std::string_view topic, int32_t partition, const std::string& records,
                            int16_t acks = -1, std::optional<std::string> transactional_id = {});
Produced read_produced(In reply);  // the first partition

struct FetchSpec {
  struct Partition {
    int32_t index = 0;
    int64_t offset = 0;
    int32_t max_bytes = 1 << 20;
    int32_t leader_epoch = -1;
  };
  std::string topic = "t";
  std::vector<Partition> partitions = {{}};
  int32_t max_wait_ms = 0;
  int32_t min_bytes = 1;
  int32_t max_bytes = 50 << 20;
  int8_t isolation = 0;
  int32_t session_id = 0;
  int32_t session_epoch = -1;
  std::vector<int32_t> forgotten = {};  // of the topic
  std::string bytes() const;            // version 11
};
struct Fetched {
  int32_t index = 0;
  int16_t error = 0;
  int64_t high_watermark = 0;
  int64_t last_stable = 0;
  int64_t log_start = 0;
  bool aborted_is_null = false;
  std::string records;
};
struct FetchReply {
  int16_t error = 0;
  int32_t session_id = 0;
  std::vector<Fetched> partitions;  // of all topics
};
FetchReply read_fetched(In reply);

struct NewTopic {
  std::string name;
  int32_t partitions = 1;
  int16_t replication_factor = 1;
  std::vector<std::pair<int32_t, std::vector<int32_t>>> assignments;
  std::vector<std::string> configs;  // each with the value "1"
};
// Version 4. Answers: error code and message by topic, in the reply's order.
std::string create_request(const std::vector<NewTopic>& topics, int32_t timeout_ms = 1000,
                           bool validate_only = false);
struct TopicError {
  std::string name;
  int16_t error = 0;
  std::string message;
  bool operator==(const TopicError&) const = default;
};
std::vector<TopicError> read_created(In reply);

// Version 6, flexible: by name, or by id.
struct Doomed {
  std::optional<std::string> name;
  Uuid id;
};
std::string delete_request(const std::vector<Doomed>& topics);
std::vector<TopicError> read_deleted(In reply);

// Version 8.
std::string metadata_request(const std::vector<std::string>& topics, bool may_create);
std::string metadata_request_all();
struct TopicInfo {
  int16_t error = 0;
  std::string name;
  std::vector<int32_t> leaders;  // by partition
};
struct ClusterInfo {
  std::string host;
  int32_t port = 0;
  std::string cluster_id;
  int32_t controller = 0;
  std::vector<TopicInfo> topics;
};
ClusterInfo read_metadata(In reply);

// Version 1: the topic's partitions, each with the offset below which its records go.
std::string delete_records_request(std::string_view topic,
                                   const std::vector<std::pair<int32_t, int64_t>>& partitions);
struct RecordsDeleted {
  int32_t index = 0;
  int64_t low_watermark = 0;
  int16_t error = 0;
  bool operator==(const RecordsDeleted&) const = default;
};
std::vector<RecordsDeleted> read_records_deleted(In reply);  // of the first topic

// Version 5.
std::string offsets_request(std::string_view topic, int32_t partition, int64_t timestamp,
                            int32_t leader_epoch = -1);
struct FoundOffset {
  int16_t error = 0;
  int64_t timestamp = 0;
  int64_t offset = 0;
  int32_t leader_epoch = 0;
  bool operator==(const FoundOffset&) const = default;
};
FoundOffset read_offset(In reply);  // the first partition

}  // namespace moldau::broker
