// What one log was given, and what it has promised: the plain truth that a simulated run compares
// the real log with. Knows nothing of segments, files or syncs; every method that is told what the
// log says reports where that contradicts what the log said before.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "log/epochs.h"
#include "log/log_core.h"
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
  std::vector<ModelRecord> records;
  std::vector<uint8_t> bytes;  // as they stand in the log
  uint64_t born = 0;           // the model's step in which it was appended
  uint64_t died = UINT64_MAX;  // and in which it was taken back
};

class LogModel {
 public:
  LogModel(std::string name, sim::Findings& findings)
      : name_(std::move(name)), findings_(findings) {}

  // What the log did.
  void appended(const log::Appended& appended, Bytes batches, LeaderEpoch epoch);
  // Acknowledged: everything below survives the death of the process; and a power loss, if
  // `durable`.
  void committed(Offset below, bool durable);
  // start <= durable <= written <= end, all of them where the model has them.
  void observe(const log::Offsets& offsets);
  // A full disk: what lies at or behind `end` was not written and is gone.
  void taken_back(Offset end);
  // A new life of the process found this. promised: what must be there. clean: nothing may be gone.
  void recovered(const log::Offsets& offsets, Offset promised, bool clean);
  // What a power loss has taken out of the middle, of a log that may lose it so.
  void keep_only(const std::vector<Offset>& bases);
  // Damaged bits: bytes whose checksum does not hold tell the reader so. The base offset and the
  // leader epoch are in no checksum of Kafka's format: damage there is not held against the log.
  void expect_damage() { damage_ = true; }
  // Bytes that a read gave: from the batch that holds `from` on, nothing at or behind `limit`.
  // since: step() when it was asked for.
  void served(Bytes bytes, Offset from, Offset limit, uint64_t since);

  // What the log should say.
  std::optional<log::TimestampOffset> first_since(int64_t timestamp, Offset below) const;
  std::optional<log::TimestampOffset> largest(Offset below) const;
  std::vector<log::EpochEntry> epochs() const;
  const ModelBatch* batch_with(Offset offset) const;
  const std::map<Offset, ModelBatch>& batches() const { return live_; }

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
  bool unprotected(Bytes bytes) const;
  // The first offset at or behind this one that the log should have.
  Offset due_at(Offset offset) const;

  const std::string name_;
  sim::Findings& findings_;
  std::map<Offset, ModelBatch> live_;       // by base
  std::multimap<Offset, ModelBatch> gone_;  // of this life: reads under way may still show them
  Offset end_, promised_, durable_;
  uint64_t step_ = 0;
  uint64_t losses_ = 0;
  bool damage_ = false;
};

}  // namespace moldau::logsim
