#include "kafka_batch.h"

#include <fmt/format.h>

#include "base/crc32c.h"
#include "base/random.h"
#include "base/varint.h"

namespace moldau::kafka {
namespace {

constexpr size_t kPrefix = 12, kHeader = 61, kCrcAt = 17, kAttributesAt = 21, kLastDeltaAt = 23,
                 kCountAt = 57;

void put_varint(std::vector<uint8_t>& out, int32_t v) {
  uint8_t bytes[kMaxVarint64];
  size_t n = write_varint(bytes, zigzag(v));
  out.insert(out.end(), bytes, bytes + n);
}

std::vector<uint8_t> payload_of(RecordId id) {
  Random random(uint64_t{id.client} << 32 | id.sequence);
  size_t size = random.one_in(16) ? random.below(6000) : random.below(120);
  std::vector<uint8_t> out(8 + size);
  store_be(out.data(), id.client);
  store_be(out.data() + 4, id.sequence);
  for (size_t i = 0; i < size; i++) out[8 + i] = static_cast<uint8_t>(random.next());
  return out;
}

void put_record(std::vector<uint8_t>& out, RecordId id, int32_t delta) {
  std::vector<uint8_t> value = payload_of(id);
  std::vector<uint8_t> body{0};  // attributes
  put_varint(body, 0);           // timestamp delta
  put_varint(body, delta);
  put_varint(body, 8);  // the key: no two records have the same
  body.resize(body.size() + 8);
  store_be(body.data() + body.size() - 8, id.client);
  store_be(body.data() + body.size() - 4, id.sequence);
  put_varint(body, static_cast<int32_t>(value.size()));
  body.insert(body.end(), value.begin(), value.end());
  put_varint(body, 0);  // no headers
  put_varint(out, static_cast<int32_t>(body.size()));
  out.insert(out.end(), body.begin(), body.end());
}

// Reads one varint at the front of in; false at its end.
bool take_varint(Bytes& in, int32_t* value) {
  uint32_t raw = 0;
  size_t n = read_varint(in, &raw);
  if (n == 0) return false;
  in = in.subspan(n);
  *value = unzigzag(raw);
  return true;
}

// One record as make_batch writes it; moves `in` behind it.
bool take_record(Bytes& in, int32_t* delta, RecordId* id) {
  int32_t length = 0, timestamp = 0, key = 0, size = 0, headers = 0;
  if (!take_varint(in, &length) || length < 1 || static_cast<size_t>(length) > in.size())
    return false;
  Bytes body = in.subspan(1, static_cast<size_t>(length) - 1);
  in = in.subspan(static_cast<size_t>(length));
  bool whole = take_varint(body, &timestamp) && take_varint(body, delta) && take_varint(body, &key);
  if (!whole || key != 8 || body.size() < 8) return false;
  RecordId keyed{load_be<uint32_t>(body.data()), load_be<uint32_t>(body.data() + 4)};
  body = body.subspan(8);
  if (!take_varint(body, &size) || size < 8 || static_cast<size_t>(size) > body.size())
    return false;
  Bytes value = body.first(static_cast<size_t>(size));
  body = body.subspan(value.size());
  *id = {load_be<uint32_t>(value.data()), load_be<uint32_t>(value.data() + 4)};
  return take_varint(body, &headers) && headers == 0 && body.empty() && keyed == *id &&
         equal(value, payload_of(*id));
}

std::string read_one(Bytes batch, const std::function<void(Offset, RecordId)>& record) {
  Offset base(load_be<int64_t>(batch.data()));
  if (crc32c(batch.subspan(kAttributesAt)) != load_be<uint32_t>(batch.data() + kCrcAt))
    return fmt::format("the batch at {} has a wrong CRC", base);
  int32_t count = load_be<int32_t>(batch.data() + kCountAt);
  if (load_be<int32_t>(batch.data() + kLastDeltaAt) != count - 1)
    return fmt::format("the batch at {} counts wrong", base);
  Bytes rest = batch.subspan(kHeader);
  for (int32_t i = 0; i < count; i++) {
    int32_t delta = 0;
    RecordId id;
    if (!take_record(rest, &delta, &id) || delta != i)
      return fmt::format("nobody sent record {} of the batch at {}", i, base);
    record(base + i, id);
  }
  return rest.empty() ? "" : fmt::format("bytes are left over in the batch at {}", base);
}

}  // namespace

std::string RecordId::to_string() const { return fmt::format("{}.{}", client, sequence); }

std::vector<uint8_t> make_batch(RecordId first, uint32_t count, int64_t timestamp) {
  std::vector<uint8_t> out(kHeader);
  for (uint32_t i = 0; i < count; i++)
    put_record(out, {first.client, first.sequence + i}, static_cast<int32_t>(i));
  uint8_t* p = out.data();
  store_be(p, int64_t{0});
  store_be(p + 8, static_cast<int32_t>(out.size() - kPrefix));
  store_be(p + 12, int32_t{-1});
  p[16] = 2;
  store_be(p + kAttributesAt, int16_t{0});
  store_be(p + kLastDeltaAt, static_cast<int32_t>(count) - 1);
  store_be(p + 27, timestamp);
  store_be(p + 35, timestamp);
  store_be(p + 43, int64_t{-1});
  store_be(p + 51, int16_t{-1});
  store_be(p + 53, int32_t{-1});
  store_be(p + kCountAt, static_cast<int32_t>(count));
  store_be(p + kCrcAt, crc32c(Bytes(out).subspan(kAttributesAt)));
  return out;
}

std::string read_batches(Bytes bytes, const std::function<void(Offset, RecordId)>& record) {
  while (bytes.size() >= kHeader) {
    int32_t length = load_be<int32_t>(bytes.data() + 8);
    if (length < static_cast<int32_t>(kHeader - kPrefix))
      return fmt::format("a batch of {} bytes", length);
    size_t size = kPrefix + static_cast<size_t>(length);
    if (size > bytes.size()) break;
    std::string fault = read_one(bytes.first(size), record);
    if (!fault.empty()) return fault;
    bytes = bytes.subspan(size);
  }
  return {};
}

}  // namespace moldau::kafka
