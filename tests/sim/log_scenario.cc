#include "log_scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/clock.h"
#include "host/entropy.h"
#include "host/scope.h"
#include "log_world.h"
#include "sim/world.h"

namespace moldau::logsim {
namespace {

using host::Env;
using host::Task;

enum class Kind : uint8_t { ack, async, damage, follower };

template <class T, size_t N>
T one_of(Random& random, const std::array<T, N>& values) {
  return values[static_cast<size_t>(random.below(N))];
}

// How far the run has come.
struct Progress {
  int64_t writers = 0;     // of each log
  int64_t operations = 0;  // of each writer
  int64_t good_lives = 0;  // that began healed, did their work and ended in order
  bool done = false;       // and a last one has found everything
};

uint64_t draw(Env& env, uint64_t below) { return env.entropy.next() % below; }

// One life of the process.
class Life {
 public:
  Life(Env& env, LogWorld& world, Progress& progress)
      : env_(env), world_(world), progress_(progress), process_(env, world) {}

  Task<void> run() {
    bool some = co_await process_.open();
    bool last = process_.healed() && progress_.good_lives > 0;
    if (some && !last) co_await use();
    co_await process_.close();
    if (!process_.healed()) co_return;
    progress_.good_lives++;
    progress_.done = last;
  }

 private:
  Task<void> use() {
    host::Scope users(env_.loop, "log users");
    for (const auto& open : process_.logs()) {
      for (int64_t i = 0; i < progress_.writers; i++) users.spawn(write(*open));
      users.spawn(look(*open));
      users.spawn(process_.send_again(*open));
      if (open->subject.shrinks) users.spawn(shrink(*open));
    }
    uint64_t life_ms = draw(env_, 3) == 0 ? 100'000 : 30 + draw(env_, 2000);
    Instant end = env_.loop.now() + milliseconds(static_cast<int64_t>(life_ms));
    while (!over(end)) co_await env_.loop.sleep(milliseconds(10));
    ending_ = true;
    co_await users.drained();
  }

  bool over(Instant end) const {
    if (process_.all_offline()) return true;
    if (!process_.healed()) return world_.healed || env_.loop.now() >= end;
    return writers_done_ == progress_.writers * static_cast<int64_t>(world_.subjects.size());
  }

  Task<void> pause(uint64_t most_ms) {
    auto us = static_cast<int64_t>(draw(env_, most_ms * 1000));
    co_await env_.loop.sleep(microseconds(us));
  }

  Task<void> write(LogProcess::Open& open) {
    int64_t good = 0;
    while (!open.log->offline()) {
      bool enough = process_.healed() ? good >= 5 : ending_;
      if (enough) break;
      if (draw(env_, 16) == 0) open.subject.epoch.value += static_cast<int32_t>(1 + draw(env_, 3));
      uint64_t shape = draw(env_, 8);
      LogProcess::AppendPlan plan{.appends = shape == 0 ? 20 : 1 + draw(env_, 4),
                                  .patient = shape != 1,
                                  .as_follower = open.subject.follows && draw(env_, 2) == 0};
      plan.by_producers = draw(env_, 4) != 0;
      if (plan.as_follower && draw(env_, 8) == 0) plan.gap = static_cast<int64_t>(draw(env_, 40));
      bool acked = co_await process_.append(open, plan);
      if (acked) good++;
      bool rests = open.subject.acked >= progress_.operations || draw(env_, 3) == 0;
      if (rests) co_await pause(open.subject.acked >= progress_.operations ? 1000 : 60);
    }
    writers_done_++;
  }

  // Takes away from both ends.
  Task<void> shrink(LogProcess::Open& open) {
    while (!ending_ && !open.log->offline()) {
      log::Offsets o = open.log->offsets();
      auto back = static_cast<int64_t>(draw(env_, draw(env_, 4) == 0 ? 200 : 20));
      Offset near_end = std::max(o.start, o.end - back);
      uint64_t what = draw(env_, 16);
      if (what < 3) {
        co_await process_.delete_records(open, std::min(near_end, o.committed));
      } else if (what < 9) {
        co_await process_.retain(open);
      } else if (what < 12 && open.subject.follows) {
        co_await process_.truncate(open, near_end);
      } else if (what == 12 && open.subject.follows) {
        int64_t by = draw(env_, 2) == 0 ? 100 : -back;
        co_await process_.restart_at(open, std::max(Offset(0), o.end + by));
      }
      co_await pause(200);
    }
  }

  // Reads and look-ups from everywhere, mostly near the end.
  Task<void> look(LogProcess::Open& open) {
    while (!ending_ && !open.log->offline()) {
      log::Offsets offsets = open.log->offsets();
      auto end = static_cast<uint64_t>(offsets.end.value);
      uint64_t back = draw(env_, 2) == 0 ? draw(env_, 10) : draw(env_, end + 1);
      log::ReadRequest request{.from = offsets.end - static_cast<int64_t>(std::min(back, end)),
                               .max_bytes = draw(env_, 3000),
                               .limit = offsets.committed};
      uint64_t what = draw(env_, 8);
      if (what == 0) request.limit = Offset(INT64_MAX);
      if (what == 1) request.at_least_one = false;
      if (what == 2) request.limit = request.from + static_cast<int64_t>(draw(env_, 20));
      if (what == 3) request.max_bytes = size_t{1} << 20;
      if (what == 4) {
        Offset from = std::max(request.from, offsets.start);
        co_await process_.check_aborted(open, from, offsets.end);
      } else if (what < 6) {
        co_await process_.read(open, request);
      } else if (what == 6) {
        int64_t clock = open.subject.batches.clock();
        auto age = static_cast<int64_t>(draw(env_, static_cast<uint64_t>(clock - 999'000)));
        co_await process_.find(open, clock - age);
      } else {
        co_await process_.find_largest(open);
        process_.check_epochs(open);
        process_.check_producers(open);
      }
      co_await pause(30);
    }
  }

  Env& env_;
  LogWorld& world_;
  Progress& progress_;
  LogProcess process_;
  bool ending_ = false;
  int64_t writers_done_ = 0;
};

Task<void> run_life(Env& env, LogWorld& world, Progress& progress) {
  {
    Life life(env, world, progress);
    co_await life.run();
  }
  world.node.halt();
  co_await env.loop.sleep_until(kNever);
}

class LogScenario final : public sim::Scenario {
 public:
  explicit LogScenario(Kind kind) : kind_(kind) {}

  void options(sim::WorldOptions& options, const Random& root) override {
    Random random = root.fork("log");
    options.disk.garbage = random.one_in(2);
    options.disk.ext4_like = random.one_in(3);
    options.disk.sector = random.one_in(2) ? 512 : 4096;
  }

  void setup(sim::World& world, sim::Knobs& knobs, sim::Findings& findings) override {
    Random random = world.stream("log.knobs");
    auto clients = static_cast<int64_t>(1 + random.below(3));
    auto operations = static_cast<int64_t>(5 + random.below(100));
    if (knobs.clients == 0) knobs.clients = clients;
    if (knobs.operations == 0) knobs.operations = operations;
    progress_.writers = knobs.clients;
    progress_.operations = knobs.operations;
    sim::Node& node = world.add_node("logs");
    world_.emplace(findings, node);
    draw_world(world);
    node.set_program([this](Env& env) { return run_life(env, *world_, progress_); });
    node.start();
  }

  sim::FaultSpace fault_space() const override {
    sim::FaultSpace space{.servers = 1, .nodes = 1, .from = milliseconds(5), .until = seconds(5)};
    if (kind_ == Kind::damage) space.kinds |= sim::kDamage;
    return space;
  }

  // A supervisor: what has ended is started again.
  void check(sim::World& world, sim::Findings&) override {
    world_->check_disk();
    if (world.node(0).halted()) world.node(0).start();
  }
  Duration check_interval() const override { return milliseconds(100); }
  // A sync that began while several faults slowed the disk takes minutes.
  Duration recovery_time() const override { return seconds(400); }

  bool recovered(sim::World&) override {
    if (!std::exchange(world_->healed, true)) {
      world_->image().show_damage(false);
      world_->refusals = 0;
    }
    // What was written while bits were wrong may be refused for ever: no promise is broken.
    return progress_.done || world_->refusals > 0;
  }
  std::string what_hangs(sim::World& world) override {
    return fmt::format("{} good lives\n{}", progress_.good_lives, world.node(0).env().loop.dump());
  }

 private:
  void draw_world(sim::World& world) {
    Random random = world.stream("log.config");
    world_->damage = kind_ == Kind::damage;
    uint64_t directories = 1 + random.below(2);
    for (uint64_t i = 0; i < directories; i++)
      world_->directories.push_back({.path = fmt::format("disk{}/data", i)});
    world_->dir_config.checkpoint_interval =
        milliseconds(one_of(random, std::array<int64_t, 4>{10, 50, 300, 60'000}));
    world_->dir_config.parallel_syncs = one_of(random, std::array<int64_t, 3>{1, 2, 16});
    uint64_t logs = directories + random.below(2);
    for (uint64_t i = 0; i < logs; i++) {
      const std::string& directory = world_->directories[i % directories].path;
      world_->subjects.push_back(std::make_unique<Subject>(directory, fmt::format("river-{}", i),
                                                           world_->findings, random.fork("b", i)));
      Subject& subject = *world_->subjects.back();
      subject.config = draw_config(random);
      draw_ways(subject, random);
      bool produced = random.one_in(2) && !world_->damage;
      if (produced) subject.producers.emplace(random.fork("producers", i));
      if (world_->damage) subject.model.expect_damage();
    }
  }

  // What is done to the log. (Checkpoint files have no checksum: a wrong bit in where a log begins
  // moves it.)
  void draw_ways(Subject& subject, Random& random) const {
    subject.shrinks = kind_ == Kind::follower || (kind_ == Kind::ack && random.one_in(2));
    subject.follows = kind_ == Kind::follower;
    subject.config.retention.millis = -1;
    if (!subject.shrinks) return;
    // The batches' clock runs from 1970 on, the node's from today on.
    auto head_start = static_cast<int64_t>(random.below(8000));
    if (random.one_in(2))
      subject.config.retention.millis = world_->node.wall().millis - 1'000'000 - head_start + 4000;
    if (random.one_in(2)) subject.config.retention.bytes = random.between(0, 30'000);
  }

  log::LogConfig draw_config(Random& random) const {
    log::LogConfig config;
    config.producer_expiration_millis = INT64_MAX / 2;  // by the clock of 1970
    config.flush = kind_ == Kind::async ? log::Flush::async : log::Flush::ack;
    config.segment_bytes =
        one_of(random, std::array<int64_t, 5>{700, 2000, 5000, 20'000, int64_t{1} << 30});
    config.index_interval_bytes = one_of(random, std::array<int32_t, 4>{1, 100, 500, 4096});
    config.tail_bytes = one_of(random, std::array<size_t, 4>{0, 300, 2000, size_t{1} << 20});
    if (random.one_in(4)) config.segment_millis = 300;
    if (random.one_in(4)) config.segment_index_bytes = 60;
    return config;
  }

  const Kind kind_;
  std::optional<LogWorld> world_;
  Progress progress_;
};

}  // namespace

sim::ScenarioEntry log_ack() {
  return {"log",
          "logs alone: acknowledged means on stable storage",
          [] { return std::make_unique<LogScenario>(Kind::ack); },
          {Bug::ack_before_sync,
           Bug::recovery_keeps_torn,
           Bug::recovery_drops_whole,
           Bug::index_past_end,
           Bug::offset_twice,
           Bug::failed_sync_believed,
           Bug::sync_reads_end_late,
           Bug::point_before_sync,
           Bug::point_at_border,
           Bug::rename_unsynced,
           Bug::segment_name_unsynced,
           Bug::epochs_kept,
           Bug::epochs_file_believed,
           Bug::roll_loses_entry,
           Bug::time_index_left,
           Bug::tail_past_limit,
           Bug::file_past_limit,
           Bug::failed_bytes_left,
           Bug::segment_too_early,
           Bug::index_keeps_dropped,
           Bug::point_before_index,
           Bug::cache_believed,
           Bug::marker_kept,
           Bug::duplicate_accepted,
           Bug::stable_past_open,
           Bug::restart_forgets_producers,
           Bug::producer_snapshot_stale}};
}

sim::ScenarioEntry log_follower() {
  return {"log_follower",
          "the same for a follower: batches with their offsets, cuts at the end, begun anew",
          [] { return std::make_unique<LogScenario>(Kind::follower); },
          {Bug::epochs_past_cut, Bug::cut_file_first, Bug::cut_to_border, Bug::points_before_starts,
           Bug::snapshots_past_cut}};
}

sim::ScenarioEntry log_async() {
  return {"log_async",
          "the same with flush=async: what was not synced may be gone after a power loss",
          [] { return std::make_unique<LogScenario>(Kind::async); },
          {}};
}

sim::ScenarioEntry log_damage() {
  return {"log_damage",
          "the same while bits flip: nothing damaged is served as if it were right",
          [] { return std::make_unique<LogScenario>(Kind::damage); },
          {Bug::cold_read_unchecked}};
}

}  // namespace moldau::logsim
