// The part of LogCore that the cleaner sees: which segments may be cleaned, and how cleaned ones
// take their place.
#include <algorithm>

#include "base/check.h"
#include "log/log_core.h"

namespace moldau::log {

// Only what is complete on stable storage. And a segment of which the file exists comes behind: it
// alone tells after a crash where the log ends, when the last batches of a cleaned one are gone.
CleanView LogCore::clean_view(Offset high_watermark) {
  CleanView view{.start = start_, .end = end_, .last_stable = last_stable(high_watermark)};
  size_t count = 0;
  auto ready = [&](size_t i) {
    const Segment& part = segments_[i];
    return part.sealed && part.index_saved && !part.renaming && end_of(i) <= durable_ &&
           segments_[i + 1].exists;
  };
  while (count + 1 < segments_.size() && ready(count)) count++;
  for (size_t i = 0; i < count; i++) {
    const Segment& part = segments_[i];
    CleanSegment segment{.base = part.base, .end = end_of(i), .size = part.written};
    if (part.first_timestamp) segment.first_timestamp = *part.first_timestamp;
    if (part.largest_known && part.largest)
      segment.largest_timestamp = part.largest->timestamp.millis;
    view.segments.push_back(segment);
  }
  view.active = segments_[count].base;
  return view;
}

void LogCore::first_timestamp_found(Offset base, int64_t timestamp) {
  Segment& part = segments_[segment_of(base)];
  if (part.base == base && !part.first_timestamp) part.first_timestamp = timestamp;
}

std::optional<uint64_t> LogCore::generation(Offset base) const {
  const Segment& part = segments_[segment_of(base)];
  if (part.base != base) return std::nullopt;
  return part.generation;
}

bool LogCore::replace_segments(const CleanedSegment& cleaned, Offset end) {
  size_t first = segment_of(cleaned.base);
  size_t last = first;  // behind those that go
  while (last + 1 < segments_.size() && segments_[last].base < end) last++;
  if (segments_[first].base != cleaned.base || segments_[last].base != end || last == first)
    return false;
  Segment& part = segments_[first];
  part.size = part.written = cleaned.size;
  part.first_timestamp = cleaned.first_timestamp;
  part.file = cleaned.file;
  part.sealed_index = cleaned.index;
  part.largest = cleaned.index->largest();
  part.largest_known = true;
  part.sealed_aborted = cleaned.aborted;
  part.generation = ++generations_;
  part.renaming = true;
  segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(first) + 1,
                  segments_.begin() + static_cast<std::ptrdiff_t>(last));
  // The tail's positions are those of the old files.
  while (!tail_.empty() && tail_.front().base < end) {
    CHECK(unwritten_ > 0, "segment {} was cleaned before it was written", tail_.front().segment);
    tail_size_ -= tail_.front().bytes.size();
    tail_.pop_front();
    unwritten_--;
  }
  return true;
}

void LogCore::renamed(Offset base) {
  segment(base).renaming = false;
  close_unused();
}

bool LogCore::take_files() { return !std::exchange(files_taken_, true); }

void LogCore::give_files() {
  CHECK(files_taken_, "files are given back that nobody took");
  files_taken_ = false;
}

bool LogCore::begin_cleaning() {
  if (cleaning_ || clean_pauses_ > 0 || offline_) return false;
  cleaning_ = true;
  return true;
}

void LogCore::end_cleaning() {
  CHECK(cleaning_, "a cleaning ends that never began");
  cleaning_ = false;
}

}  // namespace moldau::log
