// What a record batch says about its producer: sequences, transaction, and the marker that ends
// one. Pure.
#pragma once
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"

namespace moldau::wire {
struct BatchHeader;
}

namespace moldau::log {

// A control record that ends a producer's transaction in this partition.
struct EndMarker {
  bool abort = false;
  int32_t coordinator_epoch = -1;
  bool operator==(const EndMarker&) const = default;
};

struct ProducerPart {
  ProducerId id{-1};
  ProducerEpoch epoch{-1};
  int32_t base_sequence = -1;
  bool transactional = false;
  bool control = false;
  std::optional<EndMarker> marker;  // of a control batch that is one
  bool any() const { return id.value >= 0; }
};

// A control batch at least this long is no transaction marker of Kafka's, and not looked into.
constexpr size_t kMaxMarkerBatch = 512;

ProducerPart producer_part(const wire::BatchHeader& header);
// batch: one whole batch. Nothing if it is no transaction marker.
std::optional<EndMarker> read_end_marker(Bytes batch);
// Of a whole batch, the marker included.
ProducerPart read_producer_part(const wire::BatchHeader& header, Bytes batch);

}  // namespace moldau::log
