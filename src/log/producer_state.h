// What one partition knows of its producers: the last batches of each, so that a batch that is sent
// again is found out and one that is missing is missed; and which transactions are open. Kafka's
// rules (4.3.1). Pure; part of LogCore, and of recovery, which builds it again from batches.
//
// Per batch, never per record; a batch without a producer id costs nothing here.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "log/producer_batch.h"

namespace moldau::log {

// A data batch as its producer's entry remembers it.
struct SeenBatch {
  int32_t last_sequence = -1;
  Offset last_offset{-1};
  int32_t offset_delta = 0;  // last minus first
  int64_t timestamp = -1;    // the largest of its records
  Offset first_offset() const { return last_offset - offset_delta; }
  int32_t first_sequence() const;
  bool operator==(const SeenBatch&) const = default;
};

struct ProducerEntry {
  static constexpr size_t kSeen = 5;  // what a producer may have in flight

  ProducerId id{-1};
  ProducerEpoch epoch{-1};  // -1: unknown
  int32_t coordinator_epoch = -1;
  int64_t last_timestamp = -1;
  std::optional<Offset> open_since;  // first offset of its open transaction
  std::array<SeenBatch, kSeen> seen{};
  size_t seen_count = 0;  // of this epoch, oldest first

  int32_t last_sequence() const { return seen_count > 0 ? seen[seen_count - 1].last_sequence : -1; }
  void remember(const SeenBatch& batch);
  bool operator==(const ProducerEntry&) const = default;
};

// A transaction that was aborted: what a segment's transaction index holds.
struct AbortedTransaction {
  ProducerId producer;
  Offset first;
  Offset last;         // of its marker
  Offset last_stable;  // the last stable offset once it had ended
  bool operator==(const AbortedTransaction&) const = default;
};

// What a producer that is still known wrote last: compaction has to leave its batch, or a duplicate
// could not be told from a new record. Without data only the marker with its epoch is left of it.
struct LastRecord {
  std::optional<Offset> last_data;
  ProducerEpoch epoch;
  bool operator==(const LastRecord&) const = default;
};
using LastRecords = std::unordered_map<int64_t, LastRecord>;  // by producer id

// A batch that takes its place in the log.
struct PlacedBatch {
  ProducerPart producer;
  Offset base;
  int32_t last_delta = 0;
  int64_t max_timestamp = -1;
  Offset last() const { return base + last_delta; }
};

// Who appends. A client's sequences are checked; what a coordinator writes is fenced by epochs;
// what is replicated, or was in the log already, is taken as it is.
enum class Origin : uint8_t { client, coordinator, replication };

class ProducerState {
 public:
  static constexpr int64_t kDefaultExpiration = int64_t{24} * 3600 * 1000;
  explicit ProducerState(int64_t expiration_millis = kDefaultExpiration)
      : expiration_millis_(expiration_millis) {}

  // A client's batch that is in the log already, among the last five of its producer.
  std::optional<SeenBatch> duplicate(const PlacedBatch& batch) const;
  // May the batch be appended? Errors: out_of_sequence, producer_fenced, wrong_transaction_state,
  // coordinator_fenced.
  Result<void> check(const PlacedBatch& batch, Origin origin) const;
  // It is appended. Nothing is checked. If it ends a transaction by aborting it, that.
  std::optional<AbortedTransaction> apply(const PlacedBatch& batch);

  // Appends can be taken back while they are not settled: everything at or above `end`, newest
  // first.
  void journal(bool on) { journaling_ = on; }
  void settle(Offset written);
  void take_back(Offset end);

  // Transactions that ended count as undecided until their marker lies below the high watermark.
  // The first offset that is not decided; nothing if all are.
  std::optional<Offset> first_unstable() const;
  void on_high_watermark(Offset high_watermark);
  // The log begins here now. (Producers stay until they expire, KIP-360.)
  void on_log_start(Offset start);
  // Forgets producers that were silent for too long and have no open transaction.
  void expire(WallTime now);
  const ProducerEntry* find(ProducerId id) const;
  LastRecords last_records() const;
  size_t size() const { return producers_.size(); }
  // By producer id.
  std::vector<const ProducerEntry*> entries() const;

  // From a snapshot; expired ones are left out.
  void load(const std::vector<ProducerEntry>& entries, WallTime now);

 private:
  struct Undo {
    Offset base;
    ProducerId id;
    std::optional<ProducerEntry> before;
  };
  Result<void> check_sequence(const PlacedBatch& batch, const ProducerEntry* entry) const;
  bool expired(const ProducerEntry& entry, WallTime now) const;
  std::optional<AbortedTransaction> end_transaction(const PlacedBatch& batch, ProducerEntry& entry);

  int64_t expiration_millis_;
  std::map<int64_t, ProducerEntry> producers_;
  std::map<Offset, ProducerId> open_;  // by first offset
  std::map<Offset, Offset> ended_;     // first offset to marker's: above the high watermark
  bool journaling_ = false;
  std::deque<Undo> undo_;
};

}  // namespace moldau::log
