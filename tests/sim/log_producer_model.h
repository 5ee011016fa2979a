// What one simulated log has to know of its producers, told by the batches in it and by nothing
// else: sequences, epochs, open and aborted transactions. Kafka's rules, without a word of
// snapshots, restarts or what was taken back: then the model is told all that is left once more.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "log/producer_state.h"

namespace moldau::logsim {

// A batch in the log, or one that is to be appended at `base`.
log::PlacedBatch placed_batch(Bytes batch, Offset base);

class ProducerModel {
 public:
  struct Producer {
    ProducerEpoch epoch{-1};
    int32_t coordinator_epoch = -1;
    int64_t last_timestamp = -1;
    std::optional<Offset> open_since;
    std::vector<log::SeenBatch> sent;  // of this epoch
    int32_t last_sequence() const { return sent.empty() ? -1 : sent.back().last_sequence; }
  };
  // How an append must end: refused, or as a duplicate of `original`, or as one of the two (what a
  // log remembers of older batches does not outlive a restart); with neither it is appended.
  struct Due {
    std::optional<Errc> refused;
    std::optional<log::SeenBatch> original;
  };

  ProducerModel() = default;
  // What was known before the first batch.
  explicit ProducerModel(const std::vector<log::ProducerEntry>& known);

  void apply(const log::PlacedBatch& batch);
  // Of a client or a coordinator. remembered: batches from here on were appended in this life.
  Due due(const log::PlacedBatch& batch, Offset remembered) const;

  const Producer* find(ProducerId id) const;
  // As a snapshot file has them.
  std::vector<log::ProducerEntry> entries() const;
  // The first difference, in words.
  std::optional<std::string> differs(const std::vector<log::ProducerEntry>& found) const;
  // The first offset of a transaction that has no marker below the high watermark.
  std::optional<Offset> undecided(Offset high_watermark) const;
  // In the order of their markers.
  const std::vector<log::AbortedTransaction>& aborted() const { return aborted_; }

 private:
  void end_transaction(const log::PlacedBatch& marker, Producer& producer);

  std::map<int64_t, Producer> producers_;
  std::map<Offset, std::optional<Offset>> transactions_;  // first offset to that of the marker
  std::vector<log::AbortedTransaction> aborted_;
};

}  // namespace moldau::logsim
