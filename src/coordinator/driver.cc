#include "coordinator/driver.h"

#include <algorithm>

#include "base/bug.h"
#include "coordinator/driver_load.h"
#include "coordinator/partition_of.h"
#include "host/clock.h"
#include "host/entropy.h"
#include "wire/record_batch_builder.h"

namespace moldau::coordinator {

using group::GroupCore;
using host::Task;
using wire::ErrorCode;

struct Driver::Shard {
  Shard(host::Env& env, const group::GroupConfig& config, int32_t i)
      : index(i), core(config), changed(env.loop) {}
  enum class Phase : uint8_t { absent, loading, active };

  const int32_t index;
  Phase phase = Phase::absent;
  GroupCore core;
  std::unique_ptr<ShardLog> log;  // of this life
  // Appends are counted; what is known of them is known in order.
  struct Pending {
    ShardLog::Written written;
    uint64_t number;
  };
  std::deque<Pending> pending;
  uint64_t appended = 0;
  uint64_t committed = 0;
  uint64_t life = 0;    // rises when it is unloaded
  bool broken = false;  // an append failed: what is in memory is not what is in the log
  bool unwritten = false;
  Instant next_expiry;
  host::Signal wake;    // for its task
  host::Event changed;  // committed, or another life
};

// A request whose answer comes by an effect. Lies in the frame of whoever waits.
template <class Answer>
struct Driver::Slot {
  using Waiting = std::map<group::Token, Slot*>;
  Slot(host::Loop& loop, Waiting& all, group::Token t) : waiting(all), token(t), ready(loop) {
    waiting[token] = this;
  }
  ~Slot() { waiting.erase(token); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  void set(Answer a, bool d) {
    answer = std::move(a);
    durable = d;
    ready.notify_all();
  }

  Waiting& waiting;
  const group::Token token;
  host::Event ready;
  std::optional<Answer> answer;
  bool durable = false;
};

Driver::Driver(host::Env& env, const DriverConfig& config, Port& port, host::Logger& logger)
    : env_(env), config_(config), port_(port), logger_(logger), tasks_(env.loop, "coordinator") {}
Driver::~Driver() = default;

group::Moment Driver::moment() const { return {env_.loop.now(), env_.clock.wall()}; }

void Driver::topic_is_there(int32_t partitions) {
  if (stopping_ || partitions <= 0) return;
  partitions_ = partitions;
  for (auto& shard : shards_) shard->wake.raise();
  while (std::ssize(shards_) < partitions) {
    auto shard = std::make_unique<Shard>(env_, config_.group, static_cast<int32_t>(shards_.size()));
    shard->phase = Shard::Phase::loading;
    tasks_.spawn(run(*shard));
    shards_.push_back(std::move(shard));
  }
}

void Driver::refuse_all() {
  stopping_ = true;
  for (auto& shard : shards_) {
    unload(*shard);
    shard->wake.raise();
  }
}

Task<void> Driver::stop() {
  refuse_all();
  co_await tasks_.drained();
}

Driver::Found Driver::find(std::string_view group) {
  if (stopping_ || partitions_ == 0) return {nullptr, ErrorCode::not_coordinator};
  Shard& shard = *shards_[static_cast<size_t>(partition_of(group, partitions_))];
  if (shard.phase == Shard::Phase::loading)
    return {nullptr, ErrorCode::coordinator_load_in_progress};
  if (shard.phase == Shard::Phase::absent || shard.broken)
    return {nullptr, ErrorCode::not_coordinator};
  return {&shard, ErrorCode::none};
}

GroupCore& Driver::core_of(Shard& shard) {
  shard.core.know(port_.topics());
  return shard.core;
}

// --- Requests ---

Task<group::JoinAnswer> Driver::join(group::JoinRequest request) {
  group::JoinAnswer refusal{.member = request.member};
  Found found = find(request.group);
  refusal.error = found.error;
  if (!found.shard) co_return refusal;
  Shard& shard = *found.shard;
  request.unique = env_.entropy.uuid();
  Slot<group::JoinAnswer> slot(env_.loop, joins_, next_token_++);
  core_of(shard).join(slot.token, request, moment());
  carry_out(shard);
  while (!slot.answer) co_await slot.ready.wait();
  if (!slot.durable) co_return std::move(*slot.answer);
  bool kept = co_await settled(shard);
  if (kept) co_return std::move(*slot.answer);
  refusal.error = ErrorCode::not_coordinator;
  co_return refusal;
}

Task<group::SyncAnswer> Driver::sync(group::SyncRequest request) {
  Found found = find(request.who.group);
  if (!found.shard) co_return group::SyncAnswer{.error = found.error};
  Shard& shard = *found.shard;
  Slot<group::SyncAnswer> slot(env_.loop, syncs_, next_token_++);
  core_of(shard).sync(slot.token, request, moment());
  carry_out(shard);
  while (!slot.answer) co_await slot.ready.wait();
  if (!slot.durable) co_return std::move(*slot.answer);
  bool kept = co_await settled(shard);
  if (kept) co_return std::move(*slot.answer);
  co_return group::SyncAnswer{.error = ErrorCode::not_coordinator};
}

ErrorCode Driver::heartbeat(const group::Speaker& who) {
  Found found = find(who.group);
  // A member whose group is being loaded is as good as heard: it would be wrong to make it join
  // again.
  if (found.error == ErrorCode::coordinator_load_in_progress) return ErrorCode::none;
  if (!found.shard) return found.error;
  ErrorCode error = core_of(*found.shard).heartbeat(who, moment());
  carry_out(*found.shard);
  return error;
}

Task<group::ConsumerAnswer> Driver::consumer_heartbeat(group::ConsumerHeartbeat request) {
  Found found = find(request.group);
  if (!found.shard) co_return group::ConsumerAnswer{.refusal = {found.error, {}}};
  request.unique = env_.entropy.uuid();
  group::ConsumerAnswer answer = core_of(*found.shard).consumer_heartbeat(request, moment());
  carry_out(*found.shard);
  bool kept = co_await settled(*found.shard);
  if (kept) co_return answer;
  co_return group::ConsumerAnswer{.refusal = {ErrorCode::not_coordinator, {}}};
}

Task<group::LeaveAnswer> Driver::leave(std::string group,
                                       std::vector<group::LeavingMember> members) {
  Found found = find(group);
  if (!found.shard) co_return group::LeaveAnswer{found.error, {}};
  group::LeaveAnswer answer = core_of(*found.shard).leave(group, members, moment());
  carry_out(*found.shard);
  co_return answer;
}

Task<std::vector<ErrorCode>> Driver::commit(group::CommitRequest request) {
  Found found = find(request.who.group);
  if (!found.shard) co_return std::vector<ErrorCode>(request.offsets.size(), found.error);
  std::vector<ErrorCode> answer = found.shard->core.commit(request, moment());
  carry_out(*found.shard);
  bool kept = co_await settled(*found.shard);
  if (!kept)
    for (ErrorCode& one : answer)
      if (one == ErrorCode::none) one = ErrorCode::not_coordinator;
  co_return answer;
}

Task<group::DeleteOffsetsAnswer> Driver::delete_offsets(std::string group,
                                                        std::vector<group::OffsetPlace> places) {
  Found found = find(group);
  if (!found.shard) co_return group::DeleteOffsetsAnswer{found.error, {}};
  group::DeleteOffsetsAnswer answer = found.shard->core.delete_offsets(group, places);
  carry_out(*found.shard);
  bool kept = co_await settled(*found.shard);
  if (!kept) co_return group::DeleteOffsetsAnswer{ErrorCode::not_coordinator, {}};
  co_return answer;
}

Task<ErrorCode> Driver::delete_group(std::string group) {
  Found found = find(group);
  if (!found.shard) co_return found.error;
  ErrorCode answer = found.shard->core.delete_group(group);
  carry_out(*found.shard);
  bool kept = co_await settled(*found.shard);
  co_return kept ? answer : ErrorCode::not_coordinator;
}

Task<Driver::View> Driver::view(std::string group) {
  Found found = find(group);
  if (!found.shard) co_return View{found.error, nullptr};
  bool kept = co_await settled(*found.shard);
  if (!kept) co_return View{ErrorCode::not_coordinator, nullptr};
  co_return View{ErrorCode::none, &found.shard->core};
}

Task<Driver::Listed> Driver::list() {
  Listed out;
  for (size_t i = 0; i < shards_.size(); i++) {
    Shard& shard = *shards_[i];
    if (shard.phase == Shard::Phase::loading) out.error = ErrorCode::coordinator_load_in_progress;
    if (shard.phase != Shard::Phase::active) continue;
    bool kept = co_await settled(shard);
    if (!kept) continue;
    std::ranges::move(shard.core.list(), std::back_inserter(out.groups));
  }
  co_return out;
}

void Driver::forget_topic(const std::string& topic) {
  for (auto& shard : shards_) {
    if (shard->phase != Shard::Phase::active) continue;
    shard->core.forget_topic(topic);
    carry_out(*shard);
  }
}

Driver::Stats Driver::stats() const {
  Stats out;
  for (const auto& shard : shards_) {
    out.loaded += shard->phase == Shard::Phase::active;
    out.loading += shard->phase == Shard::Phase::loading;
    out.groups += shard->core.state().groups().size();
    out.offsets += shard->core.state().offset_count();
  }
  return out;
}

// --- What a step wants done ---

// Everything at once and without a wait in between: so records lie in the log in the order in which
// the core decided them.
void Driver::carry_out(Shard& shard) {
  group::Effects effects = shard.core.take();
  if (!effects.records.empty() && !shard.broken) append(shard, effects.records);
  for (group::Effects::Joined& one : effects.joins)
    if (auto slot = joins_.find(one.token); slot != joins_.end())
      slot->second->set(std::move(one.answer), one.durable);
  for (group::Effects::Synced& one : effects.syncs)
    if (auto slot = syncs_.find(one.token); slot != syncs_.end())
      slot->second->set(std::move(one.answer), one.durable);
  // Its task writes, and looks when it is to wake the next time.
  shard.wake.raise();
}

void Driver::append(Shard& shard, const std::vector<group::RecordBytes>& records) {
  constexpr size_t kHeader = 61, kOfRecord = 32;  // at most
  int64_t now = env_.clock.wall().millis;
  wire::RecordBatchBuilder::Options options;
  options.codec = config_.codec;
  wire::RecordBatchBuilder builder(options);
  for (const group::RecordBytes& one : records) {
    bool full = kHeader + builder.size() + one.size() + kOfRecord > config_.max_batch_bytes;
    if (full && builder.record_count() > 0) {
      append_batch(shard, builder.finish());
      builder = wire::RecordBatchBuilder(options);
    }
    wire::NullableBytes value;
    if (one.value) value = Bytes(*one.value);
    builder.add(now, Bytes(one.key), value);
  }
  append_batch(shard, builder.finish());
}

void Driver::append_batch(Shard& shard, std::vector<uint8_t> batch) {
  if (shard.broken) return;
  Result<ShardLog::Written> written = shard.log->append(batch, env_.clock.wall());
  if (!written) {
    shard.broken = true;
    MOLDAU_LOG_WARN(logger_, "__consumer_offsets-{}: {}; its groups are loaded again", shard.index,
                    written.error().to_string());
    return;
  }
  shard.pending.push_back({*written, ++shard.appended});
  shard.unwritten = true;
}

// True when all that was appended so far is committed; false if any of it is lost.
Task<bool> Driver::settled(Shard& shard) {
  uint64_t life = shard.life;
  uint64_t number = shard.appended;
  if (planted(Bug::group_answers_early)) co_return true;
  if (shard.broken) co_return false;
  while (shard.life == life && shard.committed < number) co_await shard.changed.wait();
  co_return shard.life == life;
}

// --- A shard's life ---

Task<void> Driver::run(Shard& shard) {
  constexpr Duration kTryAgain = seconds(1);
  while (!stopping_) {
    shard.log = port_.open(shard.index);
    if (shard.log) {
      shard.phase = Shard::Phase::loading;
      bool loaded = co_await load(shard);
      if (loaded && !stopping_) co_await serve(shard);
    }
    unload(shard);
    shard.log.reset();
    if (stopping_) break;
    host::WaitSet wake(env_.loop);
    wake.watch(shard.wake);
    (void)co_await wake.wait_until(env_.loop.now() + kTryAgain);
  }
}

// False: the log is gone, or cannot be read.
Task<bool> Driver::load(Shard& shard) {
  constexpr size_t kPiece = 1 << 20;
  Instant began = env_.loop.now();
  Loading loading;
  loading.next = shard.log->ends().start;
  host::WaitSet changes(env_.loop);
  changes.watch(shard.log->moved());
  changes.watch(shard.wake);
  while (loading.next < shard.log->ends().end && !stopping_) {
    if (shard.log->gone()) co_return false;
    if (loading.next >= shard.log->ends().committed) {
      co_await changes.wait_until(kNever);  // what an older life has appended
      continue;
    }
    Result<std::vector<uint8_t>> bytes = co_await shard.log->read(loading.next, kPiece);
    Result<bool> more = false;
    if (bytes)
      more = load_batches(shard.core, *bytes, loading);
    else
      more = std::move(bytes.error());
    if (!more) {
      MOLDAU_LOG_ERROR(logger_, "__consumer_offsets-{} cannot be loaded: {}", shard.index,
                       more.error().to_string());
      co_return false;
    }
    if (!*more) break;
  }
  if (loading.unreadable > 0)
    MOLDAU_LOG_WARN(logger_, "__consumer_offsets-{}: {} records are none that are known: {}",
                    shard.index, loading.unreadable, loading.last_error);
  core_of(shard).loaded(moment());
  shard.phase = Shard::Phase::active;
  carry_out(shard);
  size_t groups = shard.core.state().groups().size();
  if (groups > 0)
    MOLDAU_LOG_INFO(logger_, "__consumer_offsets-{}: {} groups, {} offsets, loaded in {:.1f} ms",
                    shard.index, groups, shard.core.state().offset_count(),
                    static_cast<double>((env_.loop.now() - began).nanos) / 1e6);
  co_return true;
}

void Driver::unload(Shard& shard) {
  shard.phase = Shard::Phase::absent;
  shard.core.unload(ErrorCode::not_coordinator);
  shard.pending.clear();
  shard.broken = true;  // what the answers below set off is not written any more
  carry_out(shard);
  shard.broken = false;
  shard.unwritten = false;
  shard.committed = shard.appended;
  shard.life++;
  shard.changed.notify_all();
}

Task<void> Driver::serve(Shard& shard) {
  host::WaitSet changes(env_.loop);
  changes.watch(shard.log->moved());
  changes.watch(shard.wake);
  shard.next_expiry = env_.loop.now() + config_.expiry_check;
  uint64_t life = shard.life;
  while (!stopping_ && shard.life == life) {
    if (std::exchange(shard.unwritten, false)) co_await shard.log->write_out();
    settle(shard);
    if (shard.broken || shard.log->gone()) break;
    do_what_is_due(shard);
    if (shard.unwritten || shard.broken) continue;
    Instant due = std::min(shard.core.next_deadline(), shard.next_expiry);
    (void)co_await changes.wait_until(due);
  }
}

void Driver::settle(Shard& shard) {
  bool moved = false;
  while (!shard.pending.empty()) {
    ShardLog::Fate fate = shard.log->fate(shard.pending.front().written);
    if (fate == ShardLog::Fate::failed) shard.broken = true;
    if (fate != ShardLog::Fate::committed) break;
    shard.committed = shard.pending.front().number;
    shard.pending.pop_front();
    moved = true;
  }
  if (moved) shard.changed.notify_all();
}

void Driver::do_what_is_due(Shard& shard) {
  group::Moment now = moment();
  bool due = shard.core.next_deadline() <= now.now;
  if (due) core_of(shard).tick(now);
  bool expiry = shard.next_expiry <= now.now;
  if (expiry) {
    shard.core.expire_offsets(now.wall);
    shard.next_expiry = now.now + config_.expiry_check;
  }
  if (due || expiry) carry_out(shard);
}

}  // namespace moldau::coordinator
