#include "wire/down_convert.h"

#include <fmt/format.h>

#include "wire/compress.h"

namespace moldau::wire {
namespace {

void append(std::vector<uint8_t>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

Result<void> convert(const AnyBatch& batch, int8_t magic, Offset from, Inflater& inflater,
                     std::vector<uint8_t>& out) {
  if (batch.codec >= Codec::zstd)
    return fail(Errc::unsupported,
                fmt::format("{} in message format {}", codec_name(batch.codec), magic));
  BatchRecords records(inflater);
  TRY_(records.open(batch));
  std::optional<LegacySetBuilder> builder;
  while (records.next()) {
    const AnyRecord& r = records.record();
    if (batch.codec == Codec::none && r.offset < from) continue;
    if (!builder)
      builder.emplace(LegacySetBuilder::Options{.magic = magic,
                                                .codec = batch.codec,
                                                .level = level_range(batch.codec).usual,
                                                .timestamp_type = records.timestamp_type(),
                                                .log_append_time = r.timestamp,
                                                .base_offset = r.offset});
    builder->add(r.offset, r.timestamp, r.key, r.value);
  }
  TRY_(records.finish());
  if (builder) append(out, builder->finish());
  return {};
}

}  // namespace

Result<std::vector<uint8_t>> down_convert(Bytes batches, int8_t magic, Offset from,
                                          Inflater& inflater) {
  std::vector<uint8_t> out;
  SetWalk walk(batches, BatchWalk::Torn::tolerate);
  while (walk.next()) {
    const AnyBatch& batch = walk.batch();
    if (batch.magic <= magic)
      append(out, batch.bytes);
    else if (batch.magic < 2 || !batch.header.control())
      TRY_(convert(batch, magic, from, inflater, out));
  }
  TRY_(walk.finish());
  return out;
}

}  // namespace moldau::wire
