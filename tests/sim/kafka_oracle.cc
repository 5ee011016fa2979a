#include "kafka_oracle.h"

#include <fmt/format.h>

#include <algorithm>

namespace moldau::kafka {

void Oracle::agree(int32_t partition, Offset offset, RecordId id, const char* how) {
  Partition& p = partitions_[static_cast<size_t>(partition)];
  auto [there, added] = p.at.try_emplace(offset, id);
  if (there->second != id)
    report("offset_rewritten",
           fmt::format("partition {} offset {} is {} as {}, but was {}", partition, offset, how,
                       id.to_string(), there->second.to_string()));
  auto [place, first] = p.where.try_emplace(id, offset);
  if (place->second != offset)
    report("record_twice", fmt::format("partition {}: {} is {} at {}, but was at {}", partition,
                                       id.to_string(), how, offset, place->second));
}

void Oracle::acked(int32_t partition, Offset offset, RecordId id, Instant now) {
  agree(partition, offset, id, "acknowledged");
  Partition& p = partitions_[static_cast<size_t>(partition)];
  auto [last, first] = p.last_of_client.try_emplace(id.client, offset);
  if (!first && offset <= last->second)
    report("order", fmt::format("partition {}: client {} got {} after {}", partition, id.client,
                                offset, last->second));
  last->second = offset;
  p.end = std::max(p.end, offset + 1);
  last_ack_ = now;
}

void Oracle::served(int32_t partition, Offset offset, RecordId id) {
  agree(partition, offset, id, "served");
}

void Oracle::high_watermark(int32_t partition, Offset high_watermark, Offset promised) {
  if (high_watermark < promised)
    report("acked_lost",
           fmt::format("partition {}: the high watermark is {}, but {} had been acknowledged",
                       partition, high_watermark, promised - 1));
}

}  // namespace moldau::kafka
