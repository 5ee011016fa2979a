// One segment of a partition: the names of its files, and its two sparse indexes as Apache Kafka
// builds and stores them. Pure. Used by the log's core, by recovery and by readers of sealed
// segments.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "log/producer_batch.h"

namespace moldau::log {

// What the log needs to know of a record batch that stands in a segment.
struct BatchInfo {
  Offset base;
  Offset last;
  int64_t position = 0;        // in the segment's file
  int64_t size = 0;            // bytes, header included
  int64_t max_timestamp = -1;  // milliseconds since 1970, -1: none
  LeaderEpoch epoch;
  ProducerPart producer{};
};

struct TimestampOffset {
  WallTime timestamp;
  Offset offset;
  auto operator<=>(const TimestampOffset&) const = default;
};

// "00000000000000000042.log" for 42 and ".log".
std::string segment_file_name(Offset base, std::string_view suffix);
// The number in "00000000000000000042.log" if name ends with suffix; nothing for any other name.
std::optional<Offset> parse_segment_file_name(std::string_view name, std::string_view suffix);

constexpr int64_t kOffsetEntryBytes = 8;
constexpr int64_t kTimeEntryBytes = 12;

// The offset index and the time index of one segment.
class SegmentIndex {
 public:
  explicit SegmentIndex(Offset base) : base_(base) {}

  // The batch was appended; batches come in order. Kafka's rule: when more than `interval` bytes
  // lie between the last indexed batch and this one, both indexes get an entry before this batch
  // counts.
  void add(const BatchInfo& batch, int64_t interval);
  // The segment takes no more batches: its largest timestamp gets an entry, so that the file alone
  // tells it.
  void seal();

  // Where to begin walking to find the batch that holds offset: at or before it.
  int64_t position_for(Offset offset) const;
  // Where to begin walking to find the first record with a timestamp >= t: at or before it.
  int64_t position_for(WallTime t) const;
  // The largest timestamp and the last offset of the first batch that has it; nothing if no batch
  // has one.
  std::optional<TimestampOffset> largest() const;
  // True if an entry more than `bytes` of either file may hold is needed: time to roll
  // (segment.index.bytes).
  bool full(int64_t bytes) const;
  // Bytes of the segment's file up to the batch of the last entry: a walk from there finds the end.
  int64_t last_position() const;

  // What add() and seal() change, so that appends can be taken back in the reverse order.
  struct Mark {
    size_t offsets = 0;
    size_t times = 0;
    int64_t max_timestamp = -1;
    Offset offset_of_max{-1};
    int64_t since_entry = 0;
  };
  Mark mark() const {
    return {offsets_.size(), times_.size(), max_timestamp_, offset_of_max_, since_entry_};
  }
  void restore(const Mark& mark);
  // The segment ends at `end` now, in its file at `size`. The batches from last_position() on are
  // to be added again.
  void truncate(Offset end, int64_t size);
  // No batch that begins before `position` reaches this offset; nothing if the index cannot tell.
  std::optional<Offset> bound_before(int64_t position) const;

  std::vector<uint8_t> encode_offsets() const;  // the .index file
  std::vector<uint8_t> encode_times() const;    // the .timeindex file
  // Both files of a segment with log_size bytes. Unused zero entries at the end, which Kafka
  // preallocates, are dropped. Errors: corrupt (wrong length, out of order, past the end).
  static Result<SegmentIndex> decode(Offset base, Bytes offsets, Bytes times, int64_t log_size);

  Offset base() const { return base_; }
  size_t offset_entries() const { return offsets_.size(); }
  size_t time_entries() const { return times_.size(); }
  // Writes an entry that no batch stands behind: what a recovery with Bug::index_past_end leaves.
  void add_stray_entry(Offset offset, int64_t position);

 private:
  struct OffsetEntry {
    int32_t relative;  // last offset of a batch, minus base_
    int32_t position;  // of that batch
  };
  struct TimeEntry {
    int64_t timestamp;  // the largest so far
    int32_t relative;   // last offset of the first batch that has it, minus base_
  };
  void add_time_entry();
  Result<void> decode_offsets(Bytes in, int64_t log_size);
  Result<void> decode_times(Bytes in);

  Offset base_;
  std::vector<OffsetEntry> offsets_;  // both rise strictly
  std::vector<TimeEntry> times_;      // timestamps rise strictly
  int64_t max_timestamp_ = -1;
  Offset offset_of_max_{-1};
  int64_t since_entry_ = 0;  // bytes since the batch of the last entry, that batch included
};

}  // namespace moldau::log
