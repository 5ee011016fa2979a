#include "log/producer_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/crc32c.h"

namespace moldau::log {
namespace {

constexpr int16_t kVersion = 1;
constexpr size_t kCrcEnd = 6;  // the checksum covers what follows: version i16, crc u32
constexpr size_t kHead = 10;   // and the count i32
constexpr size_t kEntry = 46;

template <std::integral T>
void put(uint8_t*& at, T value) {
  store_be(at, value);
  at += sizeof(T);
}

void put(uint8_t*& at, const ProducerEntry& entry) {
  SeenBatch last = entry.seen_count > 0 ? entry.seen[entry.seen_count - 1] : SeenBatch();
  put(at, entry.id.value);
  put(at, entry.epoch.value);
  put(at, last.last_sequence);
  put(at, last.last_offset.value);
  put(at, last.offset_delta);
  put(at, entry.last_timestamp);
  put(at, entry.coordinator_epoch);
  put(at, entry.open_since ? entry.open_since->value : int64_t{-1});
}

ProducerEntry get(const uint8_t* at) {
  ProducerEntry entry;
  entry.id = ProducerId(load_be<int64_t>(at));
  entry.epoch = ProducerEpoch(load_be<int16_t>(at + 8));
  entry.last_timestamp = load_be<int64_t>(at + 26);
  entry.coordinator_epoch = load_be<int32_t>(at + 34);
  SeenBatch last{load_be<int32_t>(at + 10), Offset(load_be<int64_t>(at + 14)),
                 load_be<int32_t>(at + 22), entry.last_timestamp};
  if (last.last_offset.value >= 0) entry.remember(last);
  if (int64_t since = load_be<int64_t>(at + 38); since >= 0) entry.open_since = Offset(since);
  return entry;
}

}  // namespace

std::vector<uint8_t> encode_producer_snapshot(const ProducerState& state) {
  std::vector<const ProducerEntry*> entries = state.entries();
  std::vector<uint8_t> out(kHead + entries.size() * kEntry);
  uint8_t* at = out.data();
  put(at, kVersion);
  at += sizeof(uint32_t);
  put(at, static_cast<int32_t>(entries.size()));
  for (const ProducerEntry* entry : entries) put(at, *entry);
  store_be(out.data() + sizeof kVersion, crc32c(Bytes(out).subspan(kCrcEnd)));
  return out;
}

Result<std::vector<ProducerEntry>> decode_producer_snapshot(Bytes in) {
  if (in.size() < kHead)
    return fail(Errc::corrupt, fmt::format("producer snapshot of {} bytes", in.size()));
  int16_t version = load_be<int16_t>(in.data());
  if (version != kVersion)
    return fail(Errc::unsupported, fmt::format("producer snapshot of version {}", version));
  if (load_be<uint32_t>(in.data() + 2) != crc32c(in.subspan(kCrcEnd)))
    return fail(Errc::corrupt, "producer snapshot: the checksum does not hold");
  int64_t count = load_be<int32_t>(in.data() + kCrcEnd);
  if (count < 0 || std::ssize(in) != static_cast<int64_t>(kHead) + count * int64_t{kEntry})
    return fail(Errc::corrupt,
                fmt::format("producer snapshot: {} entries in {} bytes", count, in.size()));
  std::vector<ProducerEntry> entries;
  std::unordered_set<int64_t> ids;
  for (in = in.subspan(kHead); !in.empty(); in = in.subspan(kEntry)) {
    ProducerEntry entry = get(in.data());
    bool sound =
        entry.id.value >= 0 && entry.epoch.value >= -1 && load_be<int32_t>(in.data() + 22) >= 0;
    if (!sound || !ids.insert(entry.id.value).second)
      return fail(Errc::corrupt, fmt::format("producer snapshot: entry {} of producer {}",
                                             entries.size(), entry.id));
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace moldau::log
