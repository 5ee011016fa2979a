#include "broker_scenario.h"

#include <fmt/format.h>

#include "broker/server.h"
#include "host/clock.h"
#include "host/entropy.h"
#include "host/logging.h"
#include "host/loop.h"
#include "kafka_client.h"
#include "kafka_oracle.h"
#include "sim/world.h"

namespace moldau::kafka {
namespace {

using host::Task;

constexpr uint16_t kPort = 9092;
constexpr const char* kTopic = "river";
constexpr Duration kPrompt =
    seconds(10);  // after healing: an answer that is later than that has been forgotten
constexpr Duration kBurstEvery = seconds(15);
constexpr int64_t kBursts = 10;
constexpr int16_t kOutOfRange = 1;

struct Shared {
  Shared(sim::Findings& findings, int32_t count) : oracle(findings, count), partitions(count) {}
  Oracle oracle;
  const sim::World* world = nullptr;
  const int32_t partitions;
  host::Address broker;
  broker::BrokerConfig config;
  bool deletes = false;     // retention takes what was acknowledged, from the front
  Duration planned_life{};  // of one incarnation, then it stops in order; 0: for ever
  int64_t operations = 0;
  int64_t writers_done = 0;
  int64_t producing =
      0;  // requests that have no answer yet: what they bring may be served before that
  bool healed = false;
  bool final_pass = false;  // read everything once more, from the start
  std::vector<Offset> final_position;
};

// What the broker logs, in the narration of a run.
class Narration final : public host::LogSink {
 public:
  explicit Narration(const sim::World& world) : world_(world) {}
  void write(std::string_view line) override { world_.tell("{}", line); }

 private:
  const sim::World& world_;
};

// The process: the server until its disk fails or its time is over.
Task<void> run_broker(host::Env& env, Shared& shared, sim::Node& node) {
  host::LogConfig levels(host::LogLevel::info);
  Narration sink(node.world());
  host::LogTarget target{levels, sink, env.clock};
  Result<std::unique_ptr<broker::Server>> server =
      co_await broker::Server::start(env, shared.config, target);
  if (!server) {
    node.halt();
    co_return;
  }
  if (shared.planned_life.nanos > 0) {
    co_await env.loop.sleep(shared.planned_life);
    Result<void> stopped = co_await (*server)->stop();
    if (!stopped)
      node.world().tell("the broker did not stop in order: {}", stopped.error().to_string());
  } else {
    co_await (*server)->failed();
  }
  node.halt();
  co_await env.loop.sleep_until(kNever);  // dies where it stands, as a process does
}

Task<void> pause(host::Env& env, uint64_t most_ms) {
  uint64_t ms = env.entropy.next() % most_ms;
  co_await env.loop.sleep(milliseconds(static_cast<int64_t>(ms)));
}

// Makes the topic and returns when it is there.
Task<void> wait_for_topic(host::Env& env, Client& client, const Shared& shared) {
  for (;;) {
    Result<int32_t> found = co_await client.partitions(kTopic);
    if (found && *found == shared.partitions) co_return;
    co_await pause(env, 200);
  }
}

// Sends batches, some in flight together. What is not acknowledged is never sent again: each record
// has one chance.
class Writer {
 public:
  Writer(host::Env& env, Shared& shared, uint32_t number)
      : env_(env), shared_(shared), number_(number), client_(env, shared.broker) {}

  Task<void> run() {
    co_await wait_for_topic(env_, client_, shared_);
    int64_t done = 0;
    while (done < shared_.operations || !shared_.healed) {
      bool acked = co_await send_some();
      if (acked) done++;
      uint64_t rest = env_.entropy.next() % 8;
      if (rest == 0 || !acked || done >= shared_.operations) co_await pause(env_, 300);
    }
    // Now nothing breaks any more. All send at about the same moment, then there is silence: who
    // misses a wake-up stays asleep, and shows.
    for (int64_t i = 0; i < kBursts;) {
      int64_t into = shared_.world->now().nanos % kBurstEvery.nanos;
      co_await env_.loop.sleep(kBurstEvery - nanoseconds(into));
      uint64_t late_us = env_.entropy.next() % 4000;
      co_await env_.loop.sleep(microseconds(static_cast<int64_t>(late_us)));
      bool acked = co_await send_some();
      if (acked) i++;
    }
    shared_.writers_done++;
  }

 private:
  Task<bool> send_some() {
    auto partition =
        static_cast<int32_t>(env_.entropy.next() % static_cast<uint64_t>(shared_.partitions));
    uint64_t in_flight = 1 + env_.entropy.next() % 4;
    std::vector<RecordId> firsts;
    std::vector<uint32_t> counts;
    std::vector<std::vector<uint8_t>> batches;
    for (uint64_t i = 0; i < in_flight; i++) {
      auto count = static_cast<uint32_t>(1 + env_.entropy.next() % 5);
      firsts.push_back({number_, next_});
      counts.push_back(count);
      batches.push_back(
          make_batch(firsts.back(), count, next_));  // long ago: never ahead of the broker
      next_ += count;
    }
    shared_.producing++;
    Result<std::vector<Produced>> answers =
        co_await client_.produce(kTopic, partition, std::move(batches));
    shared_.producing--;
    if (!answers) co_return false;
    bool all = true;
    for (size_t i = 0; i < answers->size(); i++) {
      const Produced& answer = (*answers)[i];
      all = all && answer.error == 0;
      for (uint32_t k = 0; answer.error == 0 && k < counts[i]; k++)
        shared_.oracle.acked(partition, answer.base + k, {number_, firsts[i].sequence + k},
                             env_.loop.now());
    }
    co_return all;
  }

  host::Env& env_;
  Shared& shared_;
  const uint32_t number_;
  Client client_;
  uint32_t next_ = 0;
};

// Reads all partitions with one long poll, again and again, and from random places.
class Reader {
 public:
  Reader(host::Env& env, Shared& shared, sim::World& world)
      : env_(env),
        shared_(shared),
        world_(world),
        client_(env, shared.broker),
        position_(static_cast<size_t>(shared.partitions)) {
    client_.set_patience(seconds(40));
  }

  Task<void> run() {
    co_await wait_for_topic(env_, client_, shared_);
    for (bool last_pass = false;;) {
      if (shared_.final_pass && !std::exchange(last_pass, true))
        position_.assign(position_.size(), Offset(0));
      co_await fetch_once();
      if (last_pass)
        shared_.final_position = position_;
      else if (env_.entropy.next() % 16 == 0)
        look_elsewhere();
    }
  }

 private:
  void look_elsewhere() {
    auto partition = static_cast<int32_t>(env_.entropy.next() % position_.size());
    auto end = static_cast<uint64_t>(shared_.oracle.end(partition).value) + 1;
    position_[static_cast<size_t>(partition)] =
        Offset(static_cast<int64_t>(env_.entropy.next() % end));
  }

  FetchLimits draw_limits() {
    FetchLimits limits;
    uint64_t shape = env_.entropy.next() % 8;
    if (shape == 0) limits.min_bytes = 3000;
    if (shape == 1) limits.partition_bytes = 1000;
    if (shape == 2) limits.max_bytes = 100;
    limits.max_wait_ms = 2'000;
    if (!shared_.healed) return limits;
    // Now a poll that waits for several batches, and looks again while the next ones come, is all
    // that can go wrong.
    limits.max_wait_ms = 14'000;
    if (shape > 2) limits.min_bytes = static_cast<int32_t>(1 + env_.entropy.next() % 1500);
    return limits;
  }

  Task<void> fetch_once() {
    std::vector<FetchFrom> from;
    std::vector<Offset> promised;
    for (int32_t i = 0; i < shared_.partitions; i++) {
      from.push_back({i, position_[static_cast<size_t>(i)]});
      promised.push_back(shared_.oracle.end(i));
    }
    FetchLimits limits = draw_limits();
    bool healed = shared_.healed;
    Instant asked = world_.now();
    Result<std::vector<Fetched>> answers = co_await client_.fetch(kTopic, from, limits);
    if (!answers) {
      co_await pause(env_, 200);
      co_return;
    }
    size_t bytes = 0;
    std::vector<int32_t> below;
    for (const Fetched& answer : *answers) {
      bytes += answer.records.size();
      if (answer.error == kOutOfRange && shared_.deletes)
        below.push_back(answer.partition);
      else
        judge(answer, promised[static_cast<size_t>(answer.partition)]);
    }
    for (int32_t partition : below) co_await go_to_start(partition);
    Instant enough_since = std::max(asked, shared_.oracle.last_ack());
    bool late = shared_.producing == 0 && world_.now() > enough_since + kPrompt;
    if (healed && late && bytes >= static_cast<size_t>(limits.min_bytes))
      shared_.oracle.report("missed_wakeup",
                            fmt::format("{} bytes came {} ms after the last of them was there",
                                        bytes, (world_.now() - enough_since).millis()));
  }

  // What was asked for may be deleted. If it is not, it is asked for again, and again: a record
  // that was lost instead is never read.
  Task<void> go_to_start(int32_t partition) {
    Result<std::optional<Offset>> found = co_await client_.earliest(kTopic, partition);
    Offset& position = position_[static_cast<size_t>(partition)];
    if (found && *found)
      position = std::max(position, **found);
    else
      co_await pause(env_, 200);
  }

  void judge(const Fetched& answer, Offset promised) {
    Offset& position = position_[static_cast<size_t>(answer.partition)];
    if (answer.error == kOutOfRange) {  // only what nobody promised may be missing
      if (position < promised || (position == promised && promised > Offset(0)))
        shared_.oracle.report(
            "acked_lost", fmt::format("partition {}: {} is out of range, {} had been acknowledged",
                                      answer.partition, position, promised));
      position = Offset(0);
    }
    if (answer.error != 0) return;
    shared_.oracle.high_watermark(answer.partition, answer.high_watermark, promised);
    Offset expected = position;
    bool first = true;
    std::string fault = read_batches(answer.records, [&](Offset offset, RecordId id) {
      bool gap = first ? offset > position : offset != expected;
      if (gap)
        shared_.oracle.report(
            "gap", fmt::format("partition {}: {} follows {}", answer.partition, offset, expected));
      if (offset >= answer.high_watermark)
        shared_.oracle.report("uncommitted_served",
                              fmt::format("partition {}: {} at high watermark {}", answer.partition,
                                          offset, answer.high_watermark));
      first = false;
      expected = offset + 1;
      shared_.oracle.served(answer.partition, offset, id);
    });
    if (!fault.empty())
      shared_.oracle.report("payload_changed",
                            fmt::format("partition {}: {}", answer.partition, fault));
    position = std::max(position, expected);
  }

  host::Env& env_;
  Shared& shared_;
  sim::World& world_;
  Client client_;
  std::vector<Offset> position_;
};

Task<void> run_writer(host::Env& env, Shared& shared, uint32_t number) {
  Writer writer(env, shared, number);
  co_await writer.run();
}
Task<void> run_reader(host::Env& env, Shared& shared, sim::World& world) {
  Reader reader(env, shared, world);
  co_await reader.run();
}

class BrokerScenario final : public sim::Scenario {
 public:
  explicit BrokerScenario(log::Flush flush) : flush_(flush) {}

  void options(sim::WorldOptions& options, const Random& root) override {
    Random random = root.fork("broker");
    options.disk.garbage = random.one_in(2);
    options.disk.ext4_like = random.one_in(3);
    options.disk.sector = random.one_in(2) ? 512 : 4096;
    options.network.window = random.one_in(4) ? 300 : 64 * 1024;
    options.network.short_io = random.one_in(4) ? 2 : 8;
  }

  void setup(sim::World& world, sim::Knobs& knobs, sim::Findings& findings) override {
    Random random = world.stream("broker.knobs");
    auto clients = static_cast<int64_t>(1 + random.below(4));
    auto operations = static_cast<int64_t>(5 + random.below(40));
    auto partitions = static_cast<int32_t>(1 + random.below(3));
    if (knobs.clients == 0) knobs.clients = clients;
    if (knobs.operations == 0) knobs.operations = operations;
    knobs_ = knobs;
    shared_.emplace(findings, partitions);
    shared_->operations = knobs.operations;
    shared_->world = &world;
    shared_->config = draw_config(world, partitions);
    const log::RetentionRules& retention = shared_->config.log.retention;
    shared_->deletes = retention.delete_old && (retention.bytes >= 0 || retention.millis >= 0);
    if (random.one_in(3))
      shared_->planned_life = milliseconds(static_cast<int64_t>(500 + random.below(4000)));
    sim::Node& node = world.add_node("broker");
    node.set_program([this, &node](host::Env& env) { return run_broker(env, *shared_, node); });
    shared_->broker = {node.ip(), kPort};
    node.start();
    for (int64_t i = 0; i < knobs.clients; i++) {
      auto number = static_cast<uint32_t>(i);
      world
          .add_node(fmt::format("producer{}", i),
                    [this, number](host::Env& env) { return run_writer(env, *shared_, number); })
          .start();
    }
    world
        .add_node("consumer",
                  [this, &world](host::Env& env) { return run_reader(env, *shared_, world); })
        .start();
  }

  sim::FaultSpace fault_space() const override {
    sim::FaultSpace space{.servers = 1,
                          .nodes = static_cast<uint32_t>(knobs_.clients) + 2,
                          .from = milliseconds(20),
                          .until = seconds(10)};
    // What the system has and no sync has reached may be gone after a failed one (a sticky error is
    // one too, for a path that fails) and after a power loss.
    using enum sim::FaultKind;
    if (flush_ == log::Flush::async)
      space.kinds &= ~(only(sync_error) | only(sticky_error) | only(power) | only(power_all));
    return space;
  }

  // A supervisor: what has ended is started again.
  void check(sim::World& world, sim::Findings&) override {
    if (world.node(0).halted()) world.node(0).start();
  }

  Duration recovery_time() const override { return seconds(400); }
  bool recovered(sim::World&) override {
    shared_->healed = true;
    shared_->planned_life = {};
    if (shared_->writers_done < knobs_.clients) return false;
    shared_->final_pass = true;
    if (shared_->final_position.empty()) return false;
    for (int32_t i = 0; i < shared_->partitions; i++)
      if (shared_->final_position[static_cast<size_t>(i)] < shared_->oracle.end(i)) return false;
    return true;
  }

  std::string what_hangs(sim::World& world) override {
    std::string out =
        fmt::format("{} of {} producers done\n", shared_->writers_done, knobs_.clients);
    for (size_t i = 0; i < world.size(); i++)
      out += fmt::format("{}:\n{}", world.node(i).name(), world.node(i).env().loop.dump());
    return out;
  }

 private:
  broker::BrokerConfig draw_config(sim::World& world, int32_t partitions) const {
    Random random = world.stream("broker.config");
    broker::BrokerConfig config;
    config.listen = {host::IpAddress(), kPort};
    config.log_dirs = {"data"};
    config.num_partitions = partitions;
    config.log.flush = flush_;
    config.log.segment_bytes =
        random.one_in(2) ? int64_t{1} << 30 : static_cast<int64_t>(20'000 + random.below(100'000));
    config.log.index_interval_bytes = random.one_in(2) ? 4096 : 100;
    config.log.tail_bytes = random.one_in(2) ? 0 : 1 << 20;
    draw_maintenance(world, config);
    return config;
  }

  // Records are of long ago: retention by time takes all that is committed, at each look. No two
  // have the same key: compaction puts segments together and drops nothing.
  static void draw_maintenance(sim::World& world, broker::BrokerConfig& config) {
    Random random = world.stream("broker.maintenance");
    config.log.retention.millis = -1;
    auto some = [&](uint64_t most_ms) {
      return milliseconds(static_cast<int64_t>(50 + random.below(most_ms)));
    };
    config.maintenance.retention_check = some(3000);
    config.log.delete_delay = some(2000);
    config.cleaner.backoff = some(1000);
    config.cleaner.io_bytes = 5000 + random.below(50'000);
    config.cleaner.map.bytes = 2000 + random.below(50'000);
    bool small = random.one_in(2);
    if (small) config.log.segment_bytes = static_cast<int64_t>(32'000 + random.below(20'000));
    uint64_t kind = random.below(4);
    if (kind == 0) config.log.retention.bytes = static_cast<int64_t>(random.below(150'000));
    if (kind == 1) config.log.retention.millis = 3'600'000;
    if (kind >= 2) {
      config.log.clean.compact = true;
      config.log.clean.min_dirty_ratio = 0.01;
      config.log.retention.delete_old = kind == 3;
    }
    if (kind == 3) config.log.retention.bytes = static_cast<int64_t>(random.below(200'000));
  }

  const log::Flush flush_;
  std::optional<Shared> shared_;
  sim::Knobs knobs_;
};

}  // namespace

sim::ScenarioEntry broker() {
  return {"broker",
          "the broker with its producers and a consumer; acknowledged means on stable storage",
          [] { return std::make_unique<BrokerScenario>(log::Flush::ack); },
          {Bug::ack_before_sync, Bug::recovery_keeps_torn, Bug::recovery_drops_whole,
           Bug::poll_misses_wakeup, Bug::offset_twice, Bug::failed_sync_believed,
           Bug::sync_reads_end_late}};
}

sim::ScenarioEntry broker_async() {
  return {"broker_async",
          "the same with flush=async: the page cache counts, so everything but power may fail",
          [] { return std::make_unique<BrokerScenario>(log::Flush::async); },
          {Bug::offset_twice}};
}

}  // namespace moldau::kafka
