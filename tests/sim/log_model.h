// What one log was given, and what it has promised: the plain truth that a simulated run compares
// the real log with. Knows nothing of segments, files or syncs; every method that is told what the
// log says reports where that contradicts what the log said before.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "log/epochs.h"
#include "log/log_core.h"
#include "log/transaction_index.h"
#include "log_front_model.h"
#include "log_producer_model.h"
#include "sim/scenario.h"

namespace moldau::logsim {

struct ModelRecord {
  int64_t timestamp = -1;
  Offset offset;
};

struct ModelBatch {
  Offset base;
  Offset last;
  LeaderEpoch epoch;
  int64_t max_timestamp = -1;
  log::PlacedBatch placed;
  std::vector<ModelRecord> records;
  std::vector<uint8_t> bytes;  // as they stand in the log
  uint64_t born = 0;           // the model's step in which it was appended
  uint64_t died = UINT64_MAX;  // and in which it was taken back
};

class LogModel {
 public:
  LogModel(std::string name, sim::Findings& findings)
      : name_(std::move(name)), findings_(findings) {}

  // What the log did. verbatim: as a follower, whose offsets may leave gaps.
  void appended(const log::Appended& appended, Bytes batches, LeaderEpoch epoch,
                bool verbatim = false);
  // Acknowledged: everything below survives the death of the process; and a power loss, if
  // `durable`.
  void committed(Offset below, bool durable);
  // start <= durable <= written <= end, all of them where the model has them.
  void observe(const log::Offsets& offsets);
  // A full disk, or a cut: what lies at or behind `end` is gone.
  void taken_back(Offset end);
  // The log is going to be cut at `to`, or dropped to begin anew at `at`: until it was taken back,
  // any part of what may go may be gone.
  void cutting(Offset to);
  void restarting(Offset at);
  // It was done, or there was nothing to do.
  void left_cut(Offset end);
  bool in_cut() const { return cut_at_.has_value(); }
  // Where a log that is cut at `to` ends: no batch is cut apart.
  Offset cut_end(Offset to) const;
  // A new life of the process found this. promised: what must be there.
  struct Found {
    log::Offsets offsets;
    bool clean = false;  // nothing may be gone
    bool empty = false;  // no file holds a batch
    std::vector<log::ProducerEntry> producers;
  };
  void recovered(const Found& found, Offset promised);
  FrontModel& front() { return front_; }
  const FrontModel& front() const { return front_; }
  // No recovery point may lie above it.
  Offset recovery_limit() const { return cut_at_ ? end_ : durable_; }
  // What a power loss has taken out of the middle, of a log that may lose it so.
  void keep_only(const std::vector<Offset>& bases);
  // Damaged bits: bytes whose checksum does not hold tell the reader so. The base offset and the
  // leader epoch are in no checksum of Kafka's format: damage there is not held against the log.
  void expect_damage() { damage_ = true; }
  // Bytes that a read gave: from the batch that holds `from` on, nothing at or behind `limit`.
  // since: step() when it was asked for.
  // checked: no bit became wrong between the log's look at them and ours.
  void served(Bytes bytes, Offset from, Offset limit, uint64_t since, bool checked = true);

  // What the log should say.
  std::optional<log::TimestampOffset> first_since(int64_t timestamp, Offset below) const;
  std::optional<log::TimestampOffset> largest(Offset below) const;
  std::vector<log::EpochEntry> epochs() const;
  const ModelBatch* batch_with(Offset offset) const;
  const std::map<Offset, ModelBatch>& batches() const { return live_; }
  const ProducerModel& producers() const { return producers_; }
  // By the batches below.
  ProducerModel producers_at(Offset end) const;
  // Batches from here on are remembered five deep, of each producer; of older ones the last only.
  Offset remembered() const { return remembered_; }
  Offset first() const { return first_; }
  // What the log says of its producers, and how far their transactions are decided.
  void check_producers(const std::vector<log::ProducerEntry>& found, Offset stable,
                       Offset high_watermark);
  // The aborted transactions for a reader of [from, upper): those it has to know were aborted when
  // there were `before` of them.
  void check_aborted(const log::AbortedList& found, Offset from, Offset upper, size_t before);

  Offset end() const { return end_; }
  Offset promised() const { return promised_; }  // to survive the process
  Offset durable() const { return durable_; }    // to survive a power loss
  uint64_t step() const { return step_; }
  // How often something was taken back.
  uint64_t losses() const { return losses_; }
  const std::string& name() const { return name_; }
  void report(std::string checker, const std::string& text);

 private:
  // The batch that begins at base and was there at step `since` or later and starts with `bytes`.
  const ModelBatch* version(Offset base, Bytes bytes, uint64_t since) const;
  void forget_from(Offset end);
  void begin_anew(Offset at, std::vector<log::ProducerEntry> known);
  void complain(const std::optional<std::string>& about_front);
  bool unprotected(Bytes bytes) const;
  // The first offset at or behind this one that the log should have.
  Offset due_at(Offset offset) const;

  const std::string name_;
  sim::Findings& findings_;
  std::map<Offset, ModelBatch> live_;       // by base
  std::multimap<Offset, ModelBatch> gone_;  // of this life: reads under way may still show them
  Offset first_;                            // where the log began before anything was deleted
  Offset end_, promised_, durable_;
  FrontModel front_;
  ProducerModel producers_;
  std::vector<log::ProducerEntry> known_;  // of producers, before the first batch
  Offset remembered_;
  std::optional<Offset> cut_at_;  // nothing from there on is promised
  Offset cut_to_;                 // as it was asked
  // Where it may say that it ended then. It waits for a while before it cuts, and until then others
  // append and a full disk takes back.
  std::set<Offset> cut_ends_;
  uint64_t step_ = 0;
  uint64_t losses_ = 0;
  bool damage_ = false;
};

}  // namespace moldau::logsim
