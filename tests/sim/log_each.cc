// One short story of a log, stopped at every single disk operation: by the death of the process or
// a loss of power, and every other time once more while it recovers. The other scenarios meet such
// places by chance; here none is left out.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "host/loop.h"
#include "log_scenario.h"
#include "log_world.h"
#include "sim/disk.h"
#include "sim/world.h"

namespace moldau::logsim {
namespace {

using host::Env;
using host::Task;

// A run stops the story at every eighth operation, which one it begins with is drawn: a few dozen
// seeds leave none out.
constexpr uint64_t kStride = 8;

// Of one round: the story until it is stopped, perhaps a recovery that is stopped as well, and a
// life that has to find everything.
enum class Phase : uint8_t { story, recovery, last };

class EachScenario final : public sim::Scenario {
 public:
  void options(sim::WorldOptions& options, const Random& root) override {
    Random random = root.fork("log_each");
    options.disk.garbage = random.one_in(2);
    options.disk.ext4_like = random.one_in(3);
    options.disk.sector = random.one_in(2) ? 512 : 4096;
  }

  void setup(sim::World& world, sim::Knobs& knobs, sim::Findings& findings) override {
    Random random = world.stream("log_each.knobs");
    auto appends = static_cast<int64_t>(3 + random.below(6));
    if (knobs.operations == 0) knobs.operations = appends;
    knobs.clients = 1;
    appends_ = static_cast<uint64_t>(knobs.operations);
    config_.segment_bytes = random.one_in(2) ? 400 : 1000;
    config_.index_interval_bytes = random.one_in(2) ? 1 : 300;
    config_.tail_bytes = random.one_in(2) ? 300 : size_t{1} << 20;
    config_.retention.millis = -1;
    config_.retention.bytes = random.one_in(2) ? 1200 : -1;
    config_.producer_expiration_millis = INT64_MAX / 2;  // by the clock of 1970
    cuts_ = random.one_in(2);
    produced_ = random.one_in(2);
    round_ = random.below(kStride);
    findings_ = &findings;
    sim::Node& node = world.add_node("log");
    node.set_program([this](Env& env) { return life(env); });
    begin_round(world);
  }

  sim::FaultSpace fault_space() const override { return {.until = milliseconds(1), .kinds = 0}; }
  Duration check_interval() const override { return milliseconds(20); }
  Duration recovery_time() const override { return seconds(10'000); }
  bool recovered(sim::World&) override { return done_; }
  std::string what_hangs(sim::World& world) override {
    return fmt::format("round {}\n{}", round_, world.node(0).env().loop.dump());
  }

  // The supervisor: what was stopped dies, what has ended is followed by the next life.
  void check(sim::World& world, sim::Findings&) override {
    sim::Node& node = world.node(0);
    if (std::exchange(stopped_, false)) {
      node.crash(world.stream("log_each.crash").fork("", lives_).one_in(2) ? sim::Crash::process
                                                                           : sim::Crash::power);
      phase_ = phase_ == Phase::story && again_ ? Phase::recovery : Phase::last;
      return begin_life(world);
    }
    if (!node.halted() || done_) return;
    if (phase_ == Phase::last && whole_) {
      done_ = true;
    } else if (phase_ == Phase::last) {
      begin_round(world);
    } else {
      whole_ = phase_ == Phase::story;  // it ended before the operation where it was to stop
      phase_ = Phase::last;
      begin_life(world);
    }
  }

 private:
  // Each round has a directory and a truth of its own, and the same batches.
  void begin_round(sim::World& world) {
    round_ += kStride;
    phase_ = Phase::story;
    again_ = world.stream("log_each.again").fork("", round_).one_in(2);
    std::string directory = fmt::format("round{}/data", round_);
    world_.emplace(*findings_, world.node(0));
    world_->healed = true;  // nothing fails: whatever is refused is wrong
    world_->directories.push_back({.path = directory});
    world_->dir_config.checkpoint_interval = milliseconds(1);
    auto subject = std::make_unique<Subject>(directory, "river-0", *findings_,
                                             world.stream("log_each.batches"));
    subject->config = config_;
    subject->shrinks = true;
    subject->follows = cuts_;
    if (produced_) subject->producers.emplace(world.stream("log_each.producers"));
    world_->subjects.push_back(std::move(subject));
    begin_life(world);
  }

  void begin_life(sim::World& world) {
    lives_++;
    sim::Disk& disk = world.node(0).disk();
    uint64_t stop = 0;
    if (phase_ == Phase::story) stop = disk.operations() + round_;
    if (phase_ == Phase::recovery)
      stop = disk.operations() + 1 + world.stream("log_each.stop").fork("", round_).below(40);
    disk.stop_at(stop, [this] { stopped_ = true; });
    world.node(0).start();
  }

  Task<void> life(Env& env) {
    {
      LogProcess process(env, *world_);
      bool open = co_await process.open();
      if (open) co_await use(process);
      co_await process.close();
    }
    world_->node.halt();
    co_await env.loop.sleep_until(kNever);
  }

  Task<void> use(LogProcess& process) {
    LogProcess::Open& log = *process.logs().front();
    if (phase_ == Phase::story) co_await tell(process, log);
    if (phase_ != Phase::story) co_await process.send_again(log);
    const LogProcess::AppendPlan one{.by_producers = true};
    co_await process.append(log, one);
    co_await process.read_all(log);
    process.check_producers(log);
  }

  // Grows, loses its beginning, is cut, grows again.
  Task<void> tell(LogProcess& process, LogProcess::Open& log) {
    const LogProcess::AppendPlan one{.by_producers = true}, two{.appends = 2};
    for (uint64_t i = 0; i < appends_; i++) {
      if (i % 2 == 0) log.subject.epoch.value++;
      co_await process.append(log, one);
    }
    log::Offsets before = log.log->offsets();
    co_await process.delete_records(log, std::max(before.start, before.committed - 4));
    co_await process.retain(log);
    log::Offsets after = log.log->offsets();
    if (cuts_) co_await process.truncate(log, std::max(after.start, after.end - 3));
    co_await process.append(log, two);
  }

  sim::Findings* findings_ = nullptr;
  std::optional<LogWorld> world_;
  log::LogConfig config_;
  uint64_t appends_ = 0;
  bool cuts_ = false;
  bool produced_ = false;

  uint64_t round_ = 0;  // the operation of the story at which it is stopped
  uint64_t lives_ = 0;
  Phase phase_ = Phase::story;
  bool again_ = false;    // a recovery of this round is stopped, too
  bool stopped_ = false;  // the disk does nothing any more
  bool whole_ = false;    // the story was told to its end
  bool done_ = false;
};

}  // namespace

sim::ScenarioEntry log_each() {
  return {"log_each",
          "one short story of a log, stopped at every single disk operation",
          [] { return std::make_unique<EachScenario>(); },
          {Bug::ack_before_sync, Bug::recovery_drops_whole, Bug::rename_unsynced,
           Bug::segment_name_unsynced, Bug::point_before_sync}};
}

}  // namespace moldau::logsim
