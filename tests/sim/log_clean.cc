// A compacted log that is appended to, by producers and transactions, while the cleaner is at it
// and the disk and the machine fail. The truth is the log as if it had never been cleaned: what
// stays is what was written at its offset, the newest value of each key is the same, and so is what
// is known of producers (S6, S8).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/clock.h"
#include "host/entropy.h"
#include "host/loop.h"
#include "host/scope.h"
#include "log/cleaner.h"
#include "log/producer_snapshot.h"
#include "log_producers.h"
#include "log_scenario.h"
#include "sim/node.h"
#include "sim/world.h"
#include "wire/record_batch.h"

namespace moldau::logsim {
namespace {

using host::Env;
using host::Task;

struct Written {
  Offset offset;
  int64_t timestamp = -1;
  int64_t producer = -1;
  std::string key;
  std::optional<std::string> value;
  bool operator==(const Written&) const = default;
};

std::optional<std::string> text_of(const wire::NullableBytes& bytes) {
  if (!bytes) return std::nullopt;
  return std::string(as_text(*bytes));
}

// The data records of whole batches.
std::vector<Written> records_in(Bytes batches) {
  std::vector<Written> all;
  wire::BatchWalk walk(batches, wire::BatchWalk::Torn::tolerate);
  while (walk.next()) {
    const wire::BatchHeader& header = walk.header();
    if (header.control()) continue;
    wire::RecordWalk records(header, wire::RecordWalk::records_of(walk.batch()),
                             wire::RecordWalk::Offsets::ascending);
    while (records.next())
      all.push_back({records.offset(), records.timestamp(), header.producer_id.value,
                     text_of(records.record().key).value_or("none"),
                     text_of(records.record().value)});
  }
  return all;
}

// All that was ever written and not lost.
class Truth {
 public:
  explicit Truth(sim::Findings& findings) : findings_(findings) {}

  void appended(Bytes batches) {
    wire::BatchWalk walk(batches, wire::BatchWalk::Torn::tolerate);
    while (walk.next()) {
      placed_.push_back(placed_batch(walk.batch(), walk.header().base_offset));
      producers_.apply(placed_.back());
    }
    for (Written& record : records_in(batches)) records_[record.offset] = std::move(record);
  }
  void ends(Offset end) {
    while (!placed_.empty() && placed_.back().last() >= end) placed_.pop_back();
    records_.erase(records_.lower_bound(end), records_.end());
    producers_ = ProducerModel();
    for (const log::PlacedBatch& batch : placed_) producers_.apply(batch);
  }
  void promise(Offset end) { promised_ = std::max(promised_, end); }
  Offset promised() const { return promised_; }
  Offset end() const { return placed_.empty() ? Offset(0) : placed_.back().last() + 1; }
  const ProducerModel& producers() const { return producers_; }

  // What a reader found below `end`; cleaned: of what was aborted below nothing is left.
  void check_read(const std::vector<Written>& found, Offset end, Offset cleaned) {
    Offset before(-1);
    for (const Written& record : found) {
      auto due = records_.find(record.offset);
      if (record.offset <= before || due == records_.end() || due->second != record)
        return report(
            "record_changed",
            fmt::format("nobody wrote the record served at {} behind {}", record.offset, before));
      if (record.offset < cleaned && aborted(record, cleaned))
        return report("aborted_left",
                      fmt::format("the record at {} was aborted, all is clean up to {}",
                                  record.offset, cleaned));
      before = record.offset;
    }
    std::map<std::string, const Written*> newest = fold(found, end);
    std::vector<Written> all;
    for (const auto& [offset, record] : records_) all.push_back(record);
    std::map<std::string, const Written*> last = fold(all, Offset(INT64_MAX));
    for (const auto& [key, due] : fold(all, end)) {
      if (last[key] != due) continue;  // meanwhile it is old
      auto there = newest.find(key);
      bool same = there != newest.end() && there->second->offset == due->offset;
      bool deleted = !due->value && there == newest.end();
      if (!same && !deleted)
        return report(
            "newest_lost",
            fmt::format("the newest record of {} is that at {}, found is {}", key, due->offset,
                        there == newest.end() ? -1 : there->second->offset.value));
    }
  }

  // Of older batches and coordinators a log that was read again after a cleaning knows less.
  void check_producers(const std::vector<log::ProducerEntry>& found, Offset stable,
                       Offset high_watermark) {
    for (const log::ProducerEntry& due : producers_.entries()) {
      auto same = std::ranges::find(found, due.id, &log::ProducerEntry::id);
      bool fits = same != found.end() && same->epoch == due.epoch &&
                  same->last_sequence() == due.last_sequence() &&
                  same->open_since == due.open_since;
      if (!fits)
        report("producers_wrong",
               fmt::format("producer {} is not known to be at sequence {} of epoch {}", due.id,
                           due.last_sequence(), due.epoch));
    }
    Offset due = producers_.undecided(high_watermark).value_or(high_watermark);
    if (stable != std::min(due, high_watermark))
      report("stable_wrong", fmt::format("the last stable offset is {} and not {}", stable, due));
  }
  void report(std::string checker, std::string text) {
    findings_.add(std::move(checker), std::move(text));
  }

 private:
  bool aborted(const Written& record, Offset ended_below) const {
    return std::ranges::any_of(producers_.aborted(), [&](const log::AbortedTransaction& one) {
      return one.producer.value == record.producer && one.first <= record.offset &&
             record.offset < one.last && one.last < ended_below;
    });
  }
  std::map<std::string, const Written*> fold(const std::vector<Written>& records,
                                             Offset end) const {
    std::map<std::string, const Written*> newest;
    for (const Written& record : records)
      if (record.offset < end && !aborted(record, Offset(INT64_MAX))) newest[record.key] = &record;
    return newest;
  }

  sim::Findings& findings_;
  std::vector<log::PlacedBatch> placed_;
  std::map<Offset, Written> records_;
  ProducerModel producers_;
  Offset promised_;
};

struct Shared {
  Shared(sim::Findings& findings, sim::Node& n, const Random& random)
      : truth(findings), node(n), batches(random.fork("batches")), producers(random.fork("p")) {}
  Truth truth;
  sim::Node& node;
  BatchMaker batches;
  Producers producers;
  log::LogConfig config;
  log::CleanerConfig cleaner;
  int64_t operations = 0;
  int64_t appended = 0;
  int64_t cleanings = 0;
  bool healed = false;
  bool done = false;
};

uint64_t draw(Env& env, uint64_t below) { return env.entropy.next() % below; }

class CleanLife final : public log::LogListener {
 public:
  CleanLife(Env& env, Shared& shared)
      : env_(env), shared_(shared), healed_(shared.healed), map_(shared.cleaner.map, {3, 5}) {}

  Task<void> run() {
    log::LogDirConfig dir_config{.checkpoint_interval = milliseconds(20)};
    std::string path = "data", name = "river-0";
    auto dir = co_await log::LogDir::open(env_, path, dir_config);
    if (!dir) co_return judge(dir.error());
    dir_ = std::move(*dir);
    log::LogDir& in = *dir_;
    auto opened = co_await log::Log::open(env_, in, name, shared_.config);
    if (!opened) {
      judge(opened.error());
      Result<void> closed = co_await dir_->close(7);
      if (!closed) judge(closed.error());
      co_return;
    }
    log_ = std::move(*opened);
    found(log_->offsets().end);
    log_->set_listener(this);
    cleaner_ = std::make_unique<log::Cleaner>(env_, shared_.cleaner);
    cleaner_->add(*log_);
    co_await read_all(Offset(0));
    co_await use();
    Offset cleaned;
    if (!log_->offline()) cleaned = co_await clean_all();
    co_await read_all(cleaned);
    co_await close();
  }

  void on_committed(Offset below) override { shared_.truth.promise(below); }
  void on_failed() override {
    if (!log_->offline()) shared_.truth.ends(log_->offsets().end);
  }

 private:
  void judge(const Error& error) {
    bool disk = error.code() == Errc::io || error.code() == Errc::no_space ||
                error.code() == Errc::exhausted || error.code() == Errc::offline;
    if (healed_ || !disk) shared_.truth.report("refused", error.to_string());
  }

  void found(Offset end) {
    Truth& truth = shared_.truth;
    if (end < truth.promised())
      truth.report("acked_lost", fmt::format("found up to {}, promised {}", end, truth.promised()));
    if (end > truth.end())
      truth.report("resurrected", fmt::format("found up to {}, written {}", end, truth.end()));
    truth.ends(end);
    look();
  }

  void look() {
    std::vector<uint8_t> snapshot = log_->producer_snapshot();
    auto entries = log::decode_producer_snapshot(snapshot);
    Offset committed = log_->offsets().committed;
    Offset stable = log_->last_stable(committed);
    if (entries && !log_->offline()) shared_.truth.check_producers(*entries, stable, committed);
  }

  Task<void> use() {
    host::Scope users(env_.loop, "users");
    users.spawn(write());
    users.spawn(write());
    users.spawn(clean());
    Instant end = env_.loop.now() + milliseconds(static_cast<int64_t>(100 + draw(env_, 3000)));
    while (!log_->offline() && env_.loop.now() < end) {
      co_await env_.loop.sleep(milliseconds(20));
      if (draw(env_, 8) == 0) co_await read_all(Offset(0));
      look();
    }
    ending_ = true;
    co_await users.drained();
  }

  Task<void> write() {
    while (!ending_ && !log_->offline()) {
      bool rests = shared_.appended++ > shared_.operations;
      Sending next = draw(env_, 3) == 0
                         ? Sending{.batch = shared_.batches.next(700)}
                         : shared_.producers.next(shared_.batches, shared_.truth.producers(), 700);
      auto taken = log_->append(next.batch.block, next.batch.bytes, LeaderEpoch(0),
                                env_.clock.wall(), next.origin);
      if (taken && !taken->duplicate) shared_.truth.appended(next.batch.bytes);
      co_await log_->write_out(env_);
      auto us = static_cast<int64_t>(draw(env_, rests ? 500'000 : 8'000));
      co_await env_.loop.sleep(microseconds(us));
    }
  }

  Task<void> clean() {
    while (!ending_ && !log_->offline()) {
      bool cleaned = co_await cleaner_->clean_dirtiest(map_);
      if (cleaned) shared_.cleanings++;
      auto us = static_cast<int64_t>(draw(env_, 60'000));
      co_await env_.loop.sleep(microseconds(us));
    }
  }

  // How far all is clean.
  Task<Offset> clean_all() {
    bool any = false;
    for (;;) {
      bool cleaned = co_await cleaner_->clean_dirtiest(map_);
      if (!cleaned) break;
      any = true;
    }
    auto point = dir_->cleaner_point("river-0");
    co_return any&& point ? *point : Offset(0);
  }

  Task<void> read_all(Offset cleaned) {
    Offset end = log_->offsets().committed;
    std::vector<Written> all;
    for (Offset at; at < end;) {
      const log::ReadRequest request{.from = at, .max_bytes = 2000, .limit = end};
      auto result = co_await log_->read(env_, request);
      if (!result) {
        if (!log_->offline()) judge(result.error());
        co_return;
      }
      std::vector<uint8_t> bytes;
      for (const log::ReadPiece& piece : result->pieces) {
        size_t had = bytes.size();
        bytes.resize(had + piece.length);
        MutableBytes into(bytes.data() + had, piece.length);
        if (!piece.file) {
          std::ranges::copy(piece.bytes.bytes(), into.begin());
          continue;
        }
        auto count = co_await piece.file->read_at(into, piece.position);
        if (!count) co_return;
        bytes.resize(had + *count);
      }
      Offset next = at;
      wire::BatchWalk walk(bytes, wire::BatchWalk::Torn::tolerate);
      while (walk.next()) {
        if (!wire::check_batch_crc(walk.batch()))
          co_return shared_.truth.report("bytes_changed",
                                         fmt::format("a wrong checksum at {}", at));
        if (walk.header().last_offset() < at || walk.header().last_offset() >= end) continue;
        std::vector<Written> records = records_in(walk.batch());
        all.insert(all.end(), records.begin(), records.end());
        next = walk.header().next_offset();
      }
      if (next == at) break;  // what comes was cleaned away up to the end
      at = next;
    }
    shared_.truth.check_read(all, end, cleaned);
  }

  Task<void> close() {
    co_await cleaner_->remove(env_, *log_);
    co_await cleaner_->stop();
    Result<void> closed = co_await log_->close(env_);
    if (!closed && !log_->offline()) judge(closed.error());
    cleaner_.reset();
    log_.reset();
    closed = co_await dir_->close(7);
    shared_.done = healed_ && shared_.cleanings > 0;
  }

  Env& env_;
  Shared& shared_;
  const bool healed_;
  log::OffsetMap map_;
  std::unique_ptr<log::LogDir> dir_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<log::Cleaner> cleaner_;
  bool ending_ = false;
};

Task<void> run_life(Env& env, Shared& shared) {
  {
    CleanLife life(env, shared);
    co_await life.run();
  }
  shared.node.halt();
  co_await env.loop.sleep_until(kNever);
}

class CleanScenario final : public sim::Scenario {
 public:
  void options(sim::WorldOptions& options, const Random& root) override {
    Random random = root.fork("log_clean");
    options.disk.garbage = random.one_in(2);
    options.disk.ext4_like = random.one_in(3);
    options.disk.sector = random.one_in(2) ? 512 : 4096;
  }

  void setup(sim::World& world, sim::Knobs& knobs, sim::Findings& findings) override {
    Random random = world.stream("log_clean");
    auto operations = static_cast<int64_t>(100 + random.below(1000));
    if (knobs.operations == 0) knobs.operations = operations;
    knobs.clients = 2;
    sim::Node& node = world.add_node("log");
    shared_.emplace(findings, node, random.fork("clients"));
    shared_->operations = knobs.operations;
    shared_->batches.use_keys(1 + random.below(30));
    log::LogConfig& config = shared_->config;
    config.producer_expiration_millis = INT64_MAX / 2;
    config.retention.millis = -1;
    config.segment_bytes = random.one_in(2) ? 1500 : 6000;
    config.index_interval_bytes = random.one_in(2) ? 1 : 500;
    config.tail_bytes = random.one_in(2) ? 300 : size_t{1} << 20;
    config.clean = {.compact = true,
                    .min_dirty_ratio = random.one_in(2) ? 0 : 0.3,
                    .delete_retention_millis = random.one_in(2) ? 0 : 500,
                    .segment_bytes = random.one_in(2) ? config.segment_bytes : 20'000};
    log::CleanerConfig& cleaner = shared_->cleaner;
    cleaner.map.bytes = 24 * (random.one_in(2) ? 10 : 1000);
    cleaner.io_bytes = random.one_in(2) ? 300 : 10'000;
    config.delete_delay = milliseconds(30);
    node.set_program([this](Env& env) { return run_life(env, *shared_); });
    node.start();
  }

  sim::FaultSpace fault_space() const override {
    return {.servers = 1, .nodes = 1, .from = milliseconds(5), .until = seconds(5)};
  }
  void check(sim::World& world, sim::Findings&) override {
    if (world.node(0).halted()) world.node(0).start();
  }
  Duration check_interval() const override { return milliseconds(100); }
  Duration recovery_time() const override { return seconds(400); }
  bool recovered(sim::World&) override {
    shared_->healed = true;
    return shared_->done;
  }
  std::string what_hangs(sim::World& world) override {
    return fmt::format("{} cleanings\n{}", shared_->cleanings, world.node(0).env().loop.dump());
  }

 private:
  std::optional<Shared> shared_;
};

}  // namespace

sim::ScenarioEntry log_clean() {
  return {"log_clean",
          "a compacted log that is appended to and cleaned: nothing but old values goes",
          [] { return std::make_unique<CleanScenario>(); },
          {Bug::cleaner_mixes_keys, Bug::cleaner_drops_unmapped, Bug::cleaner_past_stable,
           Bug::cleaner_index_off, Bug::cleaner_swap_unsynced, Bug::cleaner_swap_keeps_both}};
}

}  // namespace moldau::logsim
