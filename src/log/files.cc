#include "log/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bug.h"
#include "host/disk.h"
#include "log/batch_info.h"
#include "wire/record_set.h"

namespace moldau::log {

using host::Env;
using host::OpenMode;
using host::Task;

Task<Result<std::vector<uint8_t>>> read_small_file(Env& env, std::string path) {
  CO_TRY(file, env.disk.open(path, OpenMode::read));
  int64_t size = file->size();
  if (size > kMaxSmallFile)
    co_return fail(Errc::too_large,
                   fmt::format("{}: {} bytes, at most {} are expected", path, size, kMaxSmallFile));
  std::vector<uint8_t> content(static_cast<size_t>(size));
  MutableBytes into(content);
  CO_TRY(count, file->read_at(into, 0));
  content.resize(count);
  co_return content;
}

Task<Result<std::vector<uint8_t>>> read_if_exists(Env& env, std::string path) {
  auto content = co_await read_small_file(env, path);
  if (!content && content.error().code() == Errc::not_found) co_return std::vector<uint8_t>{};
  co_return content;
}

Task<Result<void>> write_file(Env& env, std::string path, std::vector<uint8_t> content) {
  CO_TRY(file, env.disk.open(path, OpenMode::create));
  CO_TRY_(file->truncate(0));
  Bytes part(content);
  std::span<const Bytes> parts(&part, 1);
  if (!content.empty()) CO_TRY_(file->write_at(parts, 0));
  co_return co_await file->sync();
}

Task<Result<void>> replace_file(Env& env, std::string directory, std::string name,
                                std::vector<uint8_t> content) {
  std::string path = directory + "/" + name;
  std::string temporary = path + ".tmp";
  CO_TRY_(write_file(env, temporary, std::move(content)));
  CO_TRY_(env.disk.rename(temporary, path));
  if (!planted(Bug::rename_unsynced)) CO_TRY_(env.disk.sync_directory(directory));
  co_return Result<void>{};
}

Task<Result<void>> replace_text(Env& env, std::string directory, std::string name,
                                std::string content) {
  std::vector<uint8_t> bytes(content.begin(), content.end());
  co_return co_await replace_file(env, directory, name, bytes);
}

Task<Result<void>> remove_if_exists(Env& env, std::string path) {
  Result<void> removed = co_await env.disk.remove(path);
  if (!removed && removed.error().code() == Errc::not_found) co_return Result<void>{};
  co_return removed;
}

Task<Result<void>> remove_segment(Env& env, std::string directory, Offset base) {
  std::string path = directory + "/" + segment_file_name(base, ".log");
  CO_TRY_(remove_if_exists(env, path));
  CO_TRY_(env.disk.sync_directory(directory));
  for (std::string_view suffix : {".index", ".timeindex", ".txnindex", ".snapshot"}) {
    path = directory + "/" + segment_file_name(base, suffix);
    CO_TRY_(remove_if_exists(env, path));
  }
  co_return Result<void>{};
}

Task<Result<void>> rename_if_exists(Env& env, std::string from, std::string to) {
  Result<void> renamed = co_await env.disk.rename(from, to);
  if (!renamed && renamed.error().code() == Errc::not_found) co_return Result<void>{};
  co_return renamed;
}

Task<Result<void>> remove_tree(Env& env, std::string path) {
  CO_TRY(entries, env.disk.list(path));
  for (const host::DirEntry& entry : entries) {
    std::string file = path + "/" + entry.name;
    CO_TRY_(env.disk.remove(file));
  }
  co_return co_await env.disk.remove(path);
}

Task<Result<void>> save_index(Env& env, std::string directory, const SegmentIndex& index) {
  std::string name = segment_file_name(index.base(), ".index");
  std::vector<uint8_t> content = index.encode_offsets();
  CO_TRY_(replace_file(env, directory, name, content));
  if (planted(Bug::time_index_left)) [[unlikely]]
    co_return Result<void>{};
  name = segment_file_name(index.base(), ".timeindex");
  content = index.encode_times();
  CO_TRY_(replace_file(env, directory, name, content));
  co_return Result<void>{};
}

// Of a compressed message of an old format: in it.
Task<Result<Offset>> HeaderWalk::first_offset(const BatchInfo& batch) {
  std::vector<uint8_t> bytes(static_cast<size_t>(batch.size));
  MutableBytes into(bytes);
  CO_TRY(count, file_.read_at(into, batch.position));
  TRY_CO(message, wire::read_any_batch(Bytes(bytes).first(count)));
  wire::Inflater inflater;
  wire::BatchRecords records(inflater);
  Result<void> opened = records.open(message);
  if (!opened) co_return std::move(opened.error());
  co_return records.next() ? std::min(records.record().offset, batch.last) : batch.last;
}

Task<Result<std::optional<BatchInfo>>> HeaderWalk::next() {
  constexpr size_t kChunk = 8192;
  constexpr int64_t kHeader = wire::kBatchHeaderSize;
  if (next_ >= end_) co_return std::optional<BatchInfo>();
  if (next_ < buffer_at_ || next_ + kHeader > buffer_at_ + std::ssize(buffer_)) {
    buffer_.resize(kChunk);
    MutableBytes into(buffer_);
    CO_TRY(count, file_.read_at(into, next_));
    buffer_.resize(count);
    buffer_at_ = next_;
  }
  Bytes head = Bytes(buffer_).subspan(static_cast<size_t>(next_ - buffer_at_));
  auto read = read_batch_info(head, next_, after_);
  if (!read || read->size > end_ - next_)
    co_return fail(Errc::corrupt,
                   fmt::format("{}: no batch at position {} of {}", file_.path(), next_, end_));
  BatchInfo batch = *read;
  if (batch.base == after_ && after_.value < 0) {
    CO_TRY(first, first_offset(batch));
    batch.base = first;
  }
  if (batch.base < after_)
    co_return fail(Errc::corrupt,
                   fmt::format("{}: the batch at position {} begins at offset {}, behind {}",
                               file_.path(), next_, batch.base, after_));
  after_ = batch.last + 1;
  if (batch.producer.control && batch.producer.any() &&
      std::cmp_less(batch.size, kMaxMarkerBatch)) {
    std::array<uint8_t, kMaxMarkerBatch> marker;
    MutableBytes into(marker.data(), static_cast<size_t>(batch.size));
    CO_TRY(count, file_.read_at(into, next_));
    batch.producer.marker = read_end_marker(into.first(count));
  }
  next_ += batch.size;
  co_return std::optional<BatchInfo>(batch);
}

}  // namespace moldau::log
