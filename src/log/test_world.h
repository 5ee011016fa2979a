// For the tests of this module only: one loop, and a disk in memory that knows what a power loss
// takes away, that can stop at any operation, fail one, fill up, or answer later. The real
// simulator is src/sim.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/shared_bytes.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/loop.h"
#include "host/network.h"
#include "host/scope.h"
#include "host/timer_heap.h"
#include "log/log.h"

namespace moldau::log {

class TestLoop final : public host::Loop {
 public:
  Instant now() const override { return now_; }
  void ready(host::Op& op) override { ready_.push_back(&op); }
  void arm(host::Timer& timer) override { timers_.arm(timer); }
  void disarm(host::Timer& timer) override { timers_.disarm(timer); }
  void post(host::Mail mail) override { mail_.push_back(mail); }
  // As ready, at that time, after `first`.
  void ready_at(Instant at, host::Op& op, std::function<void()> first);
  // False: nothing can run but timers, and no timer is due before limit.
  bool step(Instant limit);

 private:
  Instant now_{1};
  std::deque<host::Op*> ready_;
  std::deque<host::Mail> mail_;
  struct Late {
    host::Op* op;
    std::function<void()> first;
  };
  std::multimap<Instant, Late> late_;
  host::TimerHeap timers_;
};

class TestDisk final : public host::Disk {
 public:
  struct Inode {
    std::vector<uint8_t> data;
    std::vector<uint8_t> durable;
    std::vector<std::pair<size_t, size_t>>
        dirty;  // [from, to) written since the last sync, failed ones too
  };
  using InodeRef = std::shared_ptr<Inode>;
  std::map<std::string, InodeRef> names;
  std::map<std::string, InodeRef> durable_names;
  std::set<std::string> directories;
  std::set<std::string> locks;
  int64_t capacity = int64_t{1} << 40;  // bytes of all files together
  int64_t operations = 0;               // so far
  int64_t stop_at = INT64_MAX;          // that operation and all later ones never happen
  // Asked before each operation: what ("write", "sync", ...) and which path. An error is the answer
  // to it.
  std::function<std::optional<Errc>(std::string_view what, const std::string& path)> fault;
  TestLoop* later =
      nullptr;  // set: operations are finished in a later step of this loop, syncs take 2 ms
  int64_t syncs = 0;
  bool in_memory = false;  // what files say of their content

  bool start(host::DiskOp& op) override;
  bool start(host::FileOp& op, Inode& inode, const std::string& path);
  // What was not synced is gone; with torn, some names and some sectors of it are there. Nothing
  // uses the disk.
  void lose_power(Random* torn = nullptr);
  bool stopped() const { return operations > stop_at; }
  void resume() { stop_at = INT64_MAX; }
  std::vector<uint8_t>& file(const std::string& path) { return names.at(path)->data; }
  int64_t used() const;

 private:
  void perform(host::DiskOp& op);
  void perform(host::FileOp& op, Inode& inode);
  void open(host::DiskOp& op);
  void list(host::DiskOp& op);
  bool begins(host::Op& op, std::string_view what, const std::string& path, bool& stopped);
  bool finish(host::Op& op, Duration after = {}, std::function<void()> first = {});
  bool sync(host::FileOp& op, Inode& inode);
};

struct TestClock final : host::Clock {
  host::Loop& loop;
  explicit TestClock(host::Loop& l) : loop(l) {}
  Instant now() const override { return loop.now(); }
  WallTime wall() const override { return {1'700'000'000'000 + loop.now().nanos / 1'000'000}; }
};
struct TestEntropy final : host::Entropy {
  uint64_t state = 1;
  uint64_t next() override { return state++ * 0x9e3779b97f4a7c15u; }
};
struct NoNetwork final : host::Network {
  Result<std::unique_ptr<host::Listener>> listen(const host::Address&) override {
    return fail(Errc::unsupported);
  }
  bool start(host::ConnectOp& op) override { return op.fail(Errc::unsupported, "no network"); }
  bool start(host::ResolveOp& op) override { return op.fail(Errc::unsupported, "no network"); }
};

// A whole valid batch of `records` records, timestamps from `timestamp` on, one apart; offsets from
// 0; values of value_size bytes that `seed` decides.
std::vector<uint8_t> make_batch(int records, int64_t timestamp, size_t value_size,
                                uint64_t seed = 0);
// The same of a producer, one record a batch; and the marker that ends its transaction.
struct ProducerBatch {
  int64_t producer = 1;
  int16_t epoch = 0;
  int32_t sequence = 0;
  bool transactional = false;
  int64_t timestamp = 1'700'000'000'000;
  size_t value_size = 60;
  std::optional<std::string> key = std::nullopt;
};
std::vector<uint8_t> make_producer_batch(const ProducerBatch& batch);
std::vector<uint8_t> make_marker(int64_t producer, int16_t epoch, bool abort);
// The batch in a block of its own, ready for Log::append.
struct Incoming {
  BlockRef block;
  MutableBytes bytes;
};
Incoming incoming(Bytes batches);

// A data directory "data" with one open partition in it.
struct TestLog {
  LogDirConfig dir_config{.checkpoint_interval = milliseconds(10)};
  std::string name = "topic-0";
  std::unique_ptr<LogDir> dir;
  std::unique_ptr<Log> log;

  host::Task<Result<void>> open(host::Env& env, LogConfig config);
  // The log, then the directory: a clean stop.
  host::Task<Result<void>> close(host::Env& env);
};
// The bytes of what was read; less of them if a file could not be read.
host::Task<std::vector<uint8_t>> flat(const ReadResult& result);
// Returns when the append is committed or has failed.
host::Task<void> wait_for(host::Env& env, Log& log, Appended appended);
// Appends a batch as the leader, writes it and waits so.
host::Task<Result<Appended>> append_and_wait(host::Env& env, Log& log, std::vector<uint8_t> batch,
                                             Origin origin, LeaderEpoch epoch);

// One life of a process on a disk that survives it.
class TestWorld {
 public:
  explicit TestWorld(TestDisk& on) : disk(on), scope_(std::make_unique<host::Scope>(loop, "test")) {
    disk.later = nullptr;
    disk.locks.clear();
  }
  TestDisk& disk;
  TestLoop loop;
  TestClock clock{loop};
  NoNetwork network;
  TestEntropy entropy;
  host::Env env{loop, clock, network, disk, entropy};

  // Runs until the task has ended (true) or can never end (false): then it is destroyed, as by a
  // crash.
  bool run(host::Task<void> task);

 private:
  std::unique_ptr<host::Scope> scope_;
};

}  // namespace moldau::log
