#include "wire/legacy_message.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "base/check.h"
#include "wire/compress.h"

namespace moldau::wire {
namespace {

constexpr size_t kLengthAt = 8, kCrcAt = 12, kMagicAt = 16, kAttributesAt = 17, kTimestampAt = 18;

// A length of four bytes (below 0: null) and that many bytes.
bool take_bytes(Bytes* in, NullableBytes* value) {
  if (in->size() < sizeof(int32_t)) return false;
  int32_t n = load_be<int32_t>(in->data());
  *in = in->subspan(sizeof(int32_t));
  value->reset();
  if (n < 0) return true;
  if (static_cast<size_t>(n) > in->size()) return false;
  *value = in->first(static_cast<size_t>(n));
  *in = in->subspan(static_cast<size_t>(n));
  return true;
}

void put_bytes(std::vector<uint8_t>& out, const NullableBytes& value) {
  uint8_t length[sizeof(int32_t)];
  store_be(length, value ? static_cast<int32_t>(value->size()) : -1);
  out.insert(out.end(), std::begin(length), std::end(length));
  if (value) out.insert(out.end(), value->begin(), value->end());
}

}  // namespace

bool whole_legacy_message(Bytes in) {
  if (in.size() < kLegacyPrefix) return false;
  int32_t length = load_be<int32_t>(in.data() + kLengthAt);
  return length < 0 || kLegacyPrefix + static_cast<size_t>(length) <= in.size();
}

Result<LegacyMessage> read_legacy_header(Bytes in) {
  constexpr int32_t kLeast = legacy_overhead(0);
  auto cut = [&] {
    return fail(Errc::truncated, fmt::format("message cut after {} bytes", in.size()));
  };
  if (in.size() < kLegacyPrefix) return cut();
  LegacyMessage m;
  m.offset = Offset(load_be<int64_t>(in.data()));
  m.length = load_be<int32_t>(in.data() + kLengthAt);
  if (m.length < kLeast)
    return fail(Errc::corrupt,
                fmt::format("message of {} bytes, without content it takes {}", m.length, kLeast));
  if (in.size() < legacy_header_size(0)) return cut();
  m.crc = load_be<uint32_t>(in.data() + kCrcAt);
  m.magic = load_be<int8_t>(in.data() + kMagicAt);
  if (m.magic < 0 || m.magic > 1)
    return fail(Errc::corrupt, fmt::format("message of format {}, expected 0 or 1", m.magic));
  if (m.length < static_cast<int32_t>(legacy_overhead(m.magic)))
    return fail(Errc::truncated, fmt::format("message of {} bytes, in format {} it takes {}",
                                             m.length, m.magic, legacy_overhead(m.magic)));
  m.attributes = load_be<int8_t>(in.data() + kAttributesAt);
  if (in.size() < legacy_header_size(m.magic)) return cut();
  if (m.magic == 1) m.timestamp = load_be<int64_t>(in.data() + kTimestampAt);
  return m;
}

Result<LegacyMessage> read_legacy_message(Bytes in) {
  TRY(m, read_legacy_header(in));
  if (m.size() > in.size())
    return fail(Errc::truncated,
                fmt::format("message of {} bytes cut after {}", m.size(), in.size()));
  Bytes rest = in.first(m.size()).subspan(legacy_header_size(m.magic));
  if (!take_bytes(&rest, &m.key) || !take_bytes(&rest, &m.value))
    return fail(Errc::truncated,
                fmt::format("key or value of the message at offset {} goes past it", m.offset));
  return m;
}

uint32_t legacy_crc(Bytes piece, uint32_t so_far) {
  return static_cast<uint32_t>(crc32_z(so_far, piece.data(), piece.size()));
}

uint32_t compute_legacy_crc(Bytes message) { return legacy_crc(message.subspan(kMagicAt)); }

Result<void> check_legacy_crc(Bytes message) {
  uint32_t stored = load_be<uint32_t>(message.data() + kCrcAt);
  uint32_t computed = compute_legacy_crc(message);
  if (stored == computed) return {};
  return fail(Errc::corrupt,
              fmt::format("checksum of the message at offset {} is {:08x}, its bytes have {:08x}",
                          load_be<int64_t>(message.data()), stored, computed));
}

void write_legacy_message(const LegacyMessage& m, std::vector<uint8_t>& out) {
  size_t before = out.size();
  out.resize(before + (m.magic == 0 ? kTimestampAt : kTimestampAt + sizeof(int64_t)));
  uint8_t* p = out.data() + before;
  store_be(p, m.offset.value);
  store_be(p + kMagicAt, m.magic);
  store_be(p + kAttributesAt, m.attributes);
  if (m.magic == 1) store_be(p + kTimestampAt, m.timestamp);
  put_bytes(out, m.key);
  put_bytes(out, m.value);
  MutableBytes all = MutableBytes(out).subspan(before);
  store_be(all.data() + kLengthAt, static_cast<int32_t>(all.size() - kLegacyPrefix));
  store_be(all.data() + kCrcAt, compute_legacy_crc(all));
}

void LegacySetBuilder::add(Offset offset, int64_t timestamp, NullableBytes key,
                           NullableBytes value) {
  bool stamped = options_.timestamp_type == TimestampType::log_append_time;
  if (stamped) timestamp = options_.log_append_time;
  bool relative = options_.codec != Codec::none && options_.magic == 1;
  LegacyMessage m;
  m.offset = relative ? Offset(offset - options_.base_offset) : offset;
  m.magic = options_.magic;
  if (stamped && m.magic == 1) m.attributes = BatchHeader::kLogAppendTime;
  m.timestamp = timestamp;
  m.key = key;
  m.value = value;
  write_legacy_message(m, out_);
  count_++;
  last_ = offset;
  max_timestamp_ = std::max(max_timestamp_, timestamp);
}

std::vector<uint8_t> LegacySetBuilder::finish() {
  if (options_.codec == Codec::none || count_ == 0) return std::move(out_);
  CHECK(options_.codec < Codec::zstd, "{} in format {}", codec_name(options_.codec),
        options_.magic);
  std::vector<uint8_t> block, wrapped;
  compress(options_.codec, options_.level, options_.magic, out_, block);
  LegacyMessage m;
  m.offset = last_;
  m.magic = options_.magic;
  m.attributes = static_cast<int8_t>(options_.codec);
  bool stamped = options_.timestamp_type == TimestampType::log_append_time;
  if (stamped && m.magic == 1) m.attributes |= BatchHeader::kLogAppendTime;
  m.timestamp = stamped ? options_.log_append_time : max_timestamp_;
  m.value = Bytes(block);
  write_legacy_message(m, wrapped);
  return wrapped;
}

}  // namespace moldau::wire
