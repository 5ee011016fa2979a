#include "log_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/producer_snapshot.h"
#include "log/segment.h"
#include "wire/record_batch.h"

namespace moldau::logsim {
namespace {

Result<std::vector<uint8_t>> content_of(const sim::DiskImage& image, Layer layer,
                                        const std::string& path) {
  return layer == Layer::visible ? image.contents(path) : image.durable_contents(path);
}

std::string_view name_of(Layer layer) { return layer == Layer::visible ? "visible" : "durable"; }

}  // namespace

Result<std::vector<uint8_t>> LogFiles::read(Layer layer, const std::string& name) const {
  return content_of(image_, layer, path_ + "/" + name);
}

std::vector<LogFiles::Part> LogFiles::segments(Layer layer) const {
  std::vector<Part> parts;
  auto entries = image_.list(path_);
  if (!entries) return parts;
  for (const host::DirEntry& entry : *entries) {
    auto base = log::parse_segment_file_name(entry.name, ".log");
    if (!base) continue;
    auto bytes = read(layer, entry.name);
    if (bytes) parts.push_back({*base, std::move(*bytes)});
  }
  return parts;
}

void LogFiles::check_batches(Layer layer, Offset end) const {
  std::vector<Part> parts = segments(layer);
  std::map<Offset, Bytes> there;
  // Torn bytes behind what is promised may name any offset: half of a base offset is one as well.
  for (const Part& part : parts) {
    wire::BatchWalk walk(part.bytes, wire::BatchWalk::Torn::tolerate);
    while (walk.next())
      if (walk.header().base_offset >= part.base)
        there.emplace(walk.header().base_offset, walk.batch());
  }
  for (const auto& [base, batch] : model_.batches()) {
    if (batch.last >= end) break;
    if (batch.last < model_.front().most()) continue;  // its segment may be gone
    auto found = there.find(base);
    if (found == there.end() || !equal(found->second, batch.bytes))
      return model_.report("promise_not_on_disk",
                           fmt::format("everything below {} is promised, the batch at {} is not {}",
                                       end, base, name_of(layer)));
  }
}

std::vector<Offset> LogFiles::bases() const {
  std::vector<Offset> found;
  for (const Part& part : segments(Layer::visible)) {
    wire::BatchWalk walk(part.bytes, wire::BatchWalk::Torn::tolerate);
    while (walk.next()) found.push_back(walk.header().base_offset);
  }
  return found;
}

// Segments below the log's start may be there or not, also some of them: a rename may have failed.
void LogFiles::check_exact() const {
  std::vector<Part> parts = segments(Layer::visible);
  while (parts.size() > 1 && parts[1].base <= model_.front().start()) parts.erase(parts.begin());
  std::vector<uint8_t> disk;
  for (const Part& part : parts) {
    const ModelBatch* first = model_.batch_with(part.base);
    if (!part.bytes.empty() && first && first->base != part.base)
      model_.report("segment_name", fmt::format("no batch begins at {}", part.base));
    disk.insert(disk.end(), part.bytes.begin(), part.bytes.end());
  }
  std::vector<uint8_t> model;
  for (const auto& [base, batch] : model_.batches()) {
    bool there = !parts.empty() && base >= parts.front().base;
    if (there)
      model.insert(model.end(), batch.bytes.begin(), batch.bytes.end());
    else if (batch.last >= model_.front().start())
      return model_.report("files_differ", fmt::format("there is no segment with the batch at {}, "
                                                       "the log begins at {}",
                                                       base, model_.front().start()));
  }
  if (disk.size() != model.size() || !equal(disk, model))
    model_.report("files_differ", fmt::format("the segments hold {} bytes, {} were written",
                                              disk.size(), model.size()));
}

// Every entry names a batch that begins at its position and ends at its offset.
void LogFiles::check_offsets(const Part& part, Bytes index) const {
  for (; index.size() >= log::kOffsetEntryBytes; index = index.subspan(log::kOffsetEntryBytes)) {
    Offset last = part.base + load_be<int32_t>(index.data());
    auto position = static_cast<size_t>(load_be<int32_t>(index.data() + 4));
    const ModelBatch* batch = model_.batch_with(last);
    bool fits = batch && batch->last == last && position < part.bytes.size();
    Bytes there = fits ? Bytes(part.bytes).subspan(position) : Bytes();
    if (!fits || there.size() < batch->bytes.size() ||
        !equal(there.first(batch->bytes.size()), batch->bytes))
      return model_.report("index_wrong",
                           fmt::format("segment {}: no batch up to {} at position {} of {}",
                                       part.base, last, position, part.bytes.size()));
  }
  if (!index.empty()) model_.report("index_wrong", "an offset index of broken length");
}

// Every entry holds the largest timestamp up to its offset, the last one that of the segment.
void LogFiles::check_times(const Part& part, Bytes index) const {
  int64_t largest = -1;
  Offset of_largest;
  wire::BatchWalk walk(part.bytes, wire::BatchWalk::Torn::tolerate);
  int64_t stored = -1;
  while (walk.next()) {
    if (walk.header().max_timestamp > largest) {
      largest = walk.header().max_timestamp;
      of_largest = walk.header().last_offset();
    }
    if (index.size() < log::kTimeEntryBytes) continue;
    Offset at = part.base + load_be<int32_t>(index.data() + 8);
    if (at > walk.header().last_offset()) continue;
    stored = load_be<int64_t>(index.data());
    if (stored != largest || at != of_largest)
      return model_.report("time_index_wrong",
                           fmt::format("segment {}: entry {} at {}, but {} at {}", part.base,
                                       stored, at, largest, of_largest));
    index = index.subspan(log::kTimeEntryBytes);
  }
  if (!index.empty() || stored != largest)
    model_.report("time_index_wrong",
                  fmt::format("segment {}: {} bytes are left over, the last entry says {}, the "
                              "largest timestamp is {}",
                              part.base, index.size(), stored, largest));
}

// Those that were aborted by a marker in this segment.
void LogFiles::check_transactions(Layer layer, Offset base, Offset end) const {
  auto content = read(layer, log::segment_file_name(base, ".txnindex"));
  log::AbortedList due = model_.producers().aborted();
  std::erase_if(due, [&](const auto& one) { return one.last < base || one.last >= end; });
  auto found = content ? log::decode_aborted(*content) : Result<log::AbortedList>({});
  if (!found)
    model_.report("aborted_wrong", fmt::format("segment {}: {}", base, found.error().to_string()));
  else if (*found != due)
    model_.report("aborted_wrong",
                  fmt::format("segment {}: its index ({}) has {} aborted transactions, not {}",
                              base, name_of(layer), found->size(), due.size()));
}

// The newest one that recovery from this point would believe.
void LogFiles::check_snapshots(Layer layer, Offset point) const {
  std::optional<Offset> newest;
  auto entries = image_.list(path_);
  if (!entries || model_.front().anew()) return;
  for (const host::DirEntry& entry : *entries)
    if (auto at = log::parse_segment_file_name(entry.name, ".snapshot"); at && *at <= point)
      newest = std::max(newest.value_or(*at), *at);
  if (!newest || *newest < model_.first()) return;
  auto content = read(layer, log::segment_file_name(*newest, ".snapshot"));
  if (!content) return;
  auto found = log::decode_producer_snapshot(*content);
  if (!found)
    return model_.report("snapshot_wrong",
                         fmt::format("snapshot {}: {}", *newest, found.error().to_string()));
  if (auto wrong = model_.producers_at(*newest).differs(*found))
    model_.report("snapshot_wrong",
                  fmt::format("snapshot {} ({}): {}", *newest, name_of(layer), *wrong));
}

void LogFiles::check_segment(Layer layer, const Part& part, Offset end, Offset point) const {
  check_transactions(layer, part.base, end);
  for (std::string_view suffix : {".index", ".timeindex"}) {
    auto index = read(layer, log::segment_file_name(part.base, suffix));
    if (!index)
      model_.report(
          "index_missing",
          fmt::format("segment {} lies below the recovery point {} of {}, its {} is not {}",
                      part.base, point, model_.end(), suffix, name_of(layer)));
    else if (suffix == ".index")
      check_offsets(part, *index);
    else
      check_times(part, *index);
  }
}

void LogFiles::check_epochs(Layer layer, Offset point) const {
  auto text = read(layer, "leader-epoch-checkpoint");
  std::vector<log::EpochEntry> due = model_.epochs();
  std::erase_if(due, [&](const log::EpochEntry& e) { return e.start >= point; });
  if (!text && due.empty()) return;
  auto stored = text ? log::Epochs::decode(as_text(*text)) : Result<log::Epochs>(text.error());
  if (!stored)
    return model_.report("epochs_wrong", "the epochs' file: " + stored.error().to_string());
  std::vector<log::EpochEntry> found = stored->entries();
  std::erase_if(found, [&](const log::EpochEntry& e) { return e.start >= point; });
  // Of what lies below the log's start, and of the epoch that goes on there, the file may say more,
  // or less: a log cut at its start forgets it.
  Offset most = model_.front().most();
  auto kept = model_.batches().lower_bound(most);
  Offset first = kept == model_.batches().end() ? most : kept->first;
  auto deleted = [&](const log::EpochEntry& e) { return most > Offset(0) && e.start <= first; };
  std::erase_if(found, deleted);
  std::erase_if(due, deleted);
  if (found == due) return;
  model_.report("epochs_wrong",
                fmt::format("the epochs' file ({}) has {} epochs that began below {}, not {}",
                            name_of(layer), found.size(), point, due.size()));
}

void LogFiles::check_derived(Layer layer, Offset point) const {
  std::vector<Part> parts = segments(layer);
  for (size_t i = 0; i + 1 < parts.size() && parts[i + 1].base <= point; i++)
    check_segment(layer, parts[i], parts[i + 1].base, point);
  // After a clean stop, the last one too.
  if (!parts.empty() && layer == Layer::visible && point >= model_.end())
    check_segment(layer, parts.back(), Offset(INT64_MAX), point);
  check_snapshots(layer, point);
  check_epochs(layer, point);
}

log::OffsetCheckpoint recovery_points(const sim::DiskImage& image, const std::string& directory,
                                      Layer layer, sim::Findings& findings) {
  auto text = content_of(image, layer, directory + "/recovery-point-offset-checkpoint");
  if (!text) return {};
  auto points = log::decode_offset_checkpoint(as_text(*text));
  if (points && !text->empty()) return std::move(*points);
  if (points) points = fail(Errc::corrupt, "it is empty");
  findings.add("checkpoint_broken",
               fmt::format("{} ({}): {}", directory, name_of(layer), points.error().to_string()));
  return {};
}

}  // namespace moldau::logsim
