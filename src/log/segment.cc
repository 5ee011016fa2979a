#include "log/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace moldau::log {

std::string segment_file_name(Offset base, std::string_view suffix) {
  return fmt::format("{:020}{}", base.value, suffix);
}

std::optional<Offset> parse_segment_file_name(std::string_view name, std::string_view suffix) {
  constexpr size_t kDigits = 20;
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  int64_t value = 0;
  const char* end = name.data() + kDigits;
  auto [stop, error] = std::from_chars(name.data(), end, value);
  if (error != std::errc{} || stop != end || value < 0) return std::nullopt;
  return Offset(value);
}

void SegmentIndex::add(const BatchInfo& batch, int64_t interval) {
  if (batch.max_timestamp > max_timestamp_) {
    max_timestamp_ = batch.max_timestamp;
    offset_of_max_ = batch.last;
  }
  if (since_entry_ > interval) {
    offsets_.push_back(
        {static_cast<int32_t>(batch.last - base_), static_cast<int32_t>(batch.position)});
    add_time_entry();
    since_entry_ = 0;
  }
  since_entry_ += batch.size;
}

void SegmentIndex::add_time_entry() {
  int64_t last = times_.empty() ? -1 : times_.back().timestamp;
  if (max_timestamp_ > last)
    times_.push_back({max_timestamp_, static_cast<int32_t>(offset_of_max_ - base_)});
}

void SegmentIndex::seal() { add_time_entry(); }

int64_t SegmentIndex::position_for(Offset offset) const {
  auto after = std::ranges::upper_bound(offsets_, offset - base_, {},
                                        [](const OffsetEntry& e) -> int64_t { return e.relative; });
  return after == offsets_.begin() ? 0 : std::prev(after)->position;
}

// Every batch before the one that raised the maximum to an entry's timestamp is older than that. So
// the walk may begin at the batch of the last entry below t.
int64_t SegmentIndex::position_for(WallTime t) const {
  auto reached = std::ranges::lower_bound(times_, t.millis, {}, &TimeEntry::timestamp);
  return reached == times_.begin() ? 0 : position_for(base_ + std::prev(reached)->relative);
}

std::optional<TimestampOffset> SegmentIndex::largest() const {
  if (max_timestamp_ < 0) return std::nullopt;
  return TimestampOffset{WallTime{max_timestamp_}, offset_of_max_};
}

// The time index keeps one entry free for seal().
bool SegmentIndex::full(int64_t bytes) const {
  return std::ssize(offsets_) >= bytes / kOffsetEntryBytes ||
         std::ssize(times_) >= bytes / kTimeEntryBytes - 1;
}

int64_t SegmentIndex::last_position() const {
  return offsets_.empty() ? 0 : offsets_.back().position;
}

void SegmentIndex::restore(const Mark& mark) {
  CHECK(mark.offsets <= offsets_.size() && mark.times <= times_.size(), "{} of {}, {} of {}",
        mark.offsets, offsets_.size(), mark.times, times_.size());
  offsets_.resize(mark.offsets);
  times_.resize(mark.times);
  max_timestamp_ = mark.max_timestamp;
  offset_of_max_ = mark.offset_of_max;
  since_entry_ = mark.since_entry;
}

void SegmentIndex::truncate(Offset end, int64_t size) {
  while (!offsets_.empty() && offsets_.back().position >= size) offsets_.pop_back();
  while (!times_.empty() && base_ + times_.back().relative >= end) times_.pop_back();
  max_timestamp_ = times_.empty() ? -1 : times_.back().timestamp;
  offset_of_max_ = times_.empty() ? Offset(-1) : base_ + times_.back().relative;
  since_entry_ = 0;
}

std::optional<Offset> SegmentIndex::bound_before(int64_t position) const {
  auto entry = std::ranges::lower_bound(offsets_, position, {},
                                        [](const OffsetEntry& e) -> int64_t { return e.position; });
  if (entry == offsets_.end()) return std::nullopt;
  return base_ + entry->relative + 1;
}

void SegmentIndex::add_stray_entry(Offset offset, int64_t position) {
  offsets_.push_back({static_cast<int32_t>(offset - base_), static_cast<int32_t>(position)});
}

std::vector<uint8_t> SegmentIndex::encode_offsets() const {
  std::vector<uint8_t> out(offsets_.size() * kOffsetEntryBytes);
  uint8_t* at = out.data();
  for (const OffsetEntry& entry : offsets_) {
    store_be(at, entry.relative);
    store_be(at + 4, entry.position);
    at += kOffsetEntryBytes;
  }
  return out;
}

std::vector<uint8_t> SegmentIndex::encode_times() const {
  std::vector<uint8_t> out(times_.size() * kTimeEntryBytes);
  uint8_t* at = out.data();
  for (const TimeEntry& entry : times_) {
    store_be(at, entry.timestamp);
    store_be(at + 8, entry.relative);
    at += kTimeEntryBytes;
  }
  return out;
}

namespace {
// Length without the zero entries at the end.
size_t used(Bytes in, size_t entry) {
  size_t size = in.size();
  while (size > 0 &&
         std::ranges::all_of(in.subspan(size - entry, entry), [](uint8_t b) { return b == 0; }))
    size -= entry;
  return size;
}
}  // namespace

Result<void> SegmentIndex::decode_offsets(Bytes in, int64_t log_size) {
  if (in.size() % kOffsetEntryBytes != 0)
    return fail(Errc::corrupt,
                fmt::format("offset index of {} bytes: not whole entries", in.size()));
  in = in.first(used(in, kOffsetEntryBytes));
  for (; !in.empty(); in = in.subspan(kOffsetEntryBytes)) {
    OffsetEntry entry{load_be<int32_t>(in.data()), load_be<int32_t>(in.data() + 4)};
    OffsetEntry before = offsets_.empty() ? OffsetEntry{-1, 0} : offsets_.back();
    if (entry.relative <= before.relative || entry.position <= before.position ||
        entry.position >= log_size)
      return fail(Errc::corrupt,
                  fmt::format("offset index: entry {} ({}, {}) is out of order or past the end {}",
                              offsets_.size(), entry.relative, entry.position, log_size));
    offsets_.push_back(entry);
  }
  return {};
}

Result<void> SegmentIndex::decode_times(Bytes in) {
  if (in.size() % kTimeEntryBytes != 0)
    return fail(Errc::corrupt, fmt::format("time index of {} bytes: not whole entries", in.size()));
  in = in.first(used(in, kTimeEntryBytes));
  for (; !in.empty(); in = in.subspan(kTimeEntryBytes)) {
    TimeEntry entry{load_be<int64_t>(in.data()), load_be<int32_t>(in.data() + 8)};
    TimeEntry before = times_.empty() ? TimeEntry{-1, -1} : times_.back();
    if (entry.timestamp <= before.timestamp || entry.relative < before.relative ||
        entry.relative < 0)
      return fail(Errc::corrupt, fmt::format("time index: entry {} ({}, {}) is out of order",
                                             times_.size(), entry.timestamp, entry.relative));
    times_.push_back(entry);
  }
  if (times_.empty()) return {};
  max_timestamp_ = times_.back().timestamp;
  offset_of_max_ = base_ + times_.back().relative;
  return {};
}

Result<SegmentIndex> SegmentIndex::decode(Offset base, Bytes offsets, Bytes times,
                                          int64_t log_size) {
  SegmentIndex index(base);
  TRY_(index.decode_offsets(offsets, log_size));
  TRY_(index.decode_times(times));
  return index;
}

}  // namespace moldau::log
