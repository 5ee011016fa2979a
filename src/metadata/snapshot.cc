#include "metadata/snapshot.h"

#include "metadata/record.h"
#include "raft/control.h"
#include "wire/messages/feature_level_record.h"
#include "wire/record_batch_builder.h"

namespace moldau::metadata {

namespace {

constexpr size_t kMaxBatch = size_t{8} << 20;

void append(std::vector<uint8_t>& out, const std::vector<uint8_t>& batch) {
  out.insert(out.end(), batch.begin(), batch.end());
}

}  // namespace

std::vector<uint8_t> write_snapshot(const SnapshotContent& content, WallTime now) {
  raft::SnapshotStart start{content.last_contained, content.kraft_version, content.voters};
  std::vector<uint8_t> out = raft::snapshot_header_batch(start, now);
  Offset next(content.voters ? 3 : 1);
  for (size_t i = 0; i < content.records.size();) {
    wire::RecordBatchBuilder builder({.base_offset = next, .leader_epoch = content.epoch});
    do {
      builder.add(now.millis, std::nullopt, content.records[i++]);
    } while (i < content.records.size() && builder.size() + content.records[i].size() < kMaxBatch);
    next += builder.record_count();
    append(out, builder.finish());
  }
  append(out, raft::snapshot_footer_batch(content.epoch, next, now));
  return out;
}

std::vector<std::vector<uint8_t>> bootstrap_records(const Features& features) {
  Image image;
  image.features = std::make_shared<const Features>(features);
  return image_records(image);
}

}  // namespace moldau::metadata
