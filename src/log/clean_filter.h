// What compaction does to one batch: keeps it as it is, writes it again with fewer records, keeps
// its empty header, or drops it. And what it has to know of transactions for that. Pure; the
// decisions are Apache Kafka's.
#pragma once
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "log/offset_map.h"
#include "log/transaction_index.h"
#include "wire/inflate.h"
#include "wire/record_batch.h"

namespace moldau::log {

enum class ControlType : int16_t { abort = 0, commit = 1, other = 2 };

// Follows a walk over a log from front to back and says of each batch whether its transaction lets
// it go: data of an aborted one at once, a marker when nothing of its transaction is left before
// it.
class TransactionWalk {
 public:
  // Aborted transactions with a record in what is to come, which begins at `from`: those whose
  // marker lies before are over. May be told more than once.
  void expect(const AbortedList& aborted, Offset from);
  bool data_may_go(const wire::BatchHeader& header);
  // type: nothing if an earlier cleaning emptied the batch.
  bool marker_may_go(const wire::BatchHeader& header, std::optional<ControlType> type);
  // Aborted transactions of which data was seen: what the cleaned segment's index has to list.
  AbortedList take_listed() { return std::exchange(listed_, {}); }

 private:
  struct Open {
    AbortedTransaction range;
    bool data_seen = false;
  };
  void begin_up_to(Offset last);

  std::multimap<Offset, AbortedTransaction> expected_;  // by first offset
  std::unordered_map<int64_t, Open> aborted_;           // by producer id
  std::unordered_set<int64_t> committed_;  // producers with data seen, not of an aborted one
  AbortedList listed_;
};

// The records of one batch after the other, decompressed into one buffer that is used again. Memory
// as wire::InflateLimits says.
class RecordsReader {
 public:
  // Of a whole batch; they are good until the next call. Errors: corrupt (the checksum, or what
  // does not decompress), too_large, unsupported.
  Result<Bytes> read(const wire::BatchHeader& header, Bytes batch);

 private:
  wire::Inflater inflater_;
  std::vector<uint8_t> inflated_;
};

// First pass: the newest offset of each key from first_dirty on.
class MapFill {
 public:
  MapFill(OffsetMap& map, Offset first_dirty) : map_(map), first_dirty_(first_dirty) {}
  TransactionWalk& transactions() { return transactions_; }
  // False: the map is full in the middle of this batch. Errors: corrupt, unsupported.
  Result<bool> add(const wire::BatchHeader& header, Bytes batch);

 private:
  OffsetMap& map_;
  const Offset first_dirty_;
  RecordsReader reader_;
  TransactionWalk transactions_;
};

enum class Verdict : uint8_t { kept, rewritten, emptied, dropped };

struct CleanRules {
  WallTime now;
  int64_t delete_retention_millis = 0;
  Offset round_end;  // CleanRange::end: the batch before it keeps at least its header
};

// Second pass, from the start of the log on.
class BatchFilter {
 public:
  BatchFilter(const OffsetMap& map, const LastRecords& producers, const CleanRules& rules)
      : map_(map), producers_(producers), rules_(rules) {}
  TransactionWalk& transactions() { return transactions_; }
  // Appends what is left of the batch to `out`. Errors: corrupt (the checksum or the form of a
  // record: what is damaged does not get a new checksum), unsupported.
  Result<Verdict> filter(const wire::BatchHeader& header, Bytes batch, std::vector<uint8_t>& out);
  int64_t records_kept() const { return records_kept_; }
  int64_t records_dropped() const { return records_dropped_; }

 private:
  struct Choice {                   // of a batch
    bool transaction_gone = false;  // its transaction lets it go
    bool records_go = false;
    bool header_stays = false;
    bool set_horizon = false;
  };
  Choice choose(const wire::BatchHeader& header, std::optional<ControlType> control);
  bool last_of_producer(const wire::BatchHeader& header) const;
  bool keeps(const wire::BatchHeader& header, const wire::Record& record, Offset offset) const;
  Result<Verdict> rewrite(const wire::BatchHeader& header, Bytes records, const Choice& choice,
                          std::vector<uint8_t>& out);

  const OffsetMap& map_;
  const LastRecords& producers_;
  const CleanRules rules_;
  RecordsReader reader_;
  TransactionWalk transactions_;
  std::vector<uint8_t> body_;     // of the record being written
  std::vector<uint8_t> records_;  // of a batch being written, if they are to be compressed
  int64_t records_kept_ = 0;
  int64_t records_dropped_ = 0;
};

}  // namespace moldau::log
