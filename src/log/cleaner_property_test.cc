// Compaction against a plain model, over random logs: whatever is written, cleaned and reopened in
// whatever order, the newest value of every key survives, what is left stands at its offsets and is
// unchanged, nothing behind what may be cleaned is touched, and a tombstone stays until its time
// has come.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "base/bug.h"
#include "base/random.h"
#include "log/cleaner.h"
#include "log/test_world.h"
#include "wire/record_batch_builder.h"

namespace moldau::log {
namespace {

using host::Env;
using host::Task;

constexpr int64_t kRetention = 40'000;  // delete.retention.ms
constexpr CleanPolicy kCompact{.compact = true,
                               .min_dirty_ratio = 0,
                               .delete_retention_millis = kRetention,
                               .segment_bytes = 1500};
constexpr LogConfig kSmall{
    .segment_bytes = 600, .index_interval_bytes = 150, .tail_bytes = 300, .clean = kCompact};

// One step of a story; its numbers are taken modulo what there is.
struct Step {
  enum class Kind : uint8_t { put, put_in_transaction, commit, abort, clean, wait, reopen, crash };
  Kind kind = Kind::put;
  uint8_t key = 0;
  uint8_t producer = 0;
  bool tombstone = false;
  uint8_t count = 1;
};

void showValue(const Step& step, std::ostream& out) {
  constexpr const char* kNames[] = {
      "put", "put_in_transaction", "commit", "abort", "clean", "wait", "reopen", "crash"};
  out << kNames[static_cast<size_t>(step.kind)] << " key " << int{step.key} << " producer "
      << int{step.producer} << (step.tombstone ? " tombstone" : "") << " x" << int{step.count};
}

struct Written {
  std::string key;
  std::optional<std::string> value;
  int64_t producer = -1;          // of a transaction
  std::optional<bool> committed;  // once its transaction has ended; set without one
  int64_t cleanable_since = -1;   // when a cleaning first came by a tombstone; -1: none yet
};

struct Model {
  std::map<int64_t, Written> sent;               // by offset; no markers
  std::map<int64_t, std::vector<int64_t>> open;  // offsets by producer
  std::map<int64_t, int32_t> sequences;
  std::map<int64_t, Written> found;  // by the last look
  std::string error;
  int64_t dropped = 0;
  void complain(std::string what) {
    if (error.empty()) error = std::move(what);
  }
};

Task<Offset> put(Env& env, Log& log, std::vector<uint8_t> bytes, Origin origin, Model& model) {
  auto appended = co_await append_and_wait(env, log, bytes, origin, LeaderEpoch(0));
  if (appended) co_return appended->base;
  model.complain(appended.error().to_string());
  co_return Offset(-1);
}

Task<void> write(Env& env, Log& log, const Step& step, Model& model) {
  bool transactional = step.kind == Step::Kind::put_in_transaction;
  int64_t producer = transactional ? 1 + step.producer % 3 : -1;
  for (int i = 0; i < 1 + step.count % 5; i++) {
    Written one{.key = fmt::format("key{}", (step.key + i * 3) % 7), .producer = producer};
    if (!step.tombstone)
      one.value = fmt::format("{}:{:*<{}}", model.sent.size(), "", step.key % 90);
    if (!transactional) one.committed = true;
    wire::RecordBatchBuilder::Options options;
    if (transactional)
      options = {.producer_id = ProducerId(producer),
                 .producer_epoch = ProducerEpoch(0),
                 .base_sequence = model.sequences[producer]++,
                 .transactional = true};
    wire::RecordBatchBuilder builder(options);
    wire::NullableBytes value;
    if (one.value) value = as_bytes(*one.value);
    builder.add(env.clock.wall().millis, as_bytes(one.key), value);
    std::vector<uint8_t> batch = builder.finish();
    Offset at = co_await put(env, log, batch, Origin::client, model);
    if (transactional) model.open[producer].push_back(at.value);
    model.sent[at.value] = std::move(one);
  }
}

Task<void> end_transaction(Env& env, Log& log, const Step& step, Model& model) {
  int64_t producer = 1 + step.producer % 3;
  if (model.open[producer].empty()) co_return;
  bool abort = step.kind == Step::Kind::abort;
  std::vector<uint8_t> marker = make_marker(producer, 0, abort);
  (void)co_await put(env, log, marker, Origin::coordinator, model);
  for (int64_t offset : model.open[producer]) model.sent[offset].committed = !abort;
  model.open[producer].clear();
}

// All records that are in the log, in their order.
Task<void> look(Env& env, Log& log, Model& model) {
  model.found.clear();
  Offsets offsets = log.offsets();
  for (Offset at(0); at < offsets.end;) {
    ReadRequest request{.from = at, .max_bytes = 1, .limit = offsets.end};
    auto result = co_await log.read(env, request);
    if (!result) co_return model.complain("read: " + result.error().to_string());
    ReadResult& read = *result;
    auto bytes = co_await flat(read);
    if (bytes.empty()) break;
    auto header = wire::read_batch_header(bytes);
    if (!header || !wire::check_batch_crc(bytes)) co_return model.complain("a damaged batch");
    if (header->last_offset() < at) co_return model.complain("offsets go back");
    at = header->next_offset();
    wire::RecordWalk walk(*header, wire::RecordWalk::records_of(bytes),
                          wire::RecordWalk::Offsets::ascending);
    while (!header->control() && walk.next()) {
      const wire::Record& record = walk.record();
      Written one{.key = std::string(as_text(*record.key))};
      if (record.value) one.value = std::string(as_text(*record.value));
      model.found[walk.offset().value] = std::move(one);
    }
  }
}

// The state that a reader of what is committed builds, up to `end`.
template <class Records>
std::map<std::string, std::string> state(const Records& records, const Model& model, int64_t end) {
  std::map<std::string, std::string> out;
  for (const auto& [offset, one] : records) {
    auto sent = model.sent.find(offset);
    if (offset >= end || sent == model.sent.end() || !sent->second.committed.value_or(false))
      continue;
    if (one.value)
      out[one.key] = *one.value;
    else
      out.erase(one.key);
  }
  return out;
}

Task<void> check(Env& env, Log& log, Model& model) {
  co_await look(env, log, model);
  for (const auto& [offset, one] : model.found) {
    auto sent = model.sent.find(offset);
    bool same =
        sent != model.sent.end() && sent->second.key == one.key && sent->second.value == one.value;
    if (!same) co_return model.complain(fmt::format("nobody wrote what stands at {}", offset));
  }
  int64_t end = log.offsets().end.value;
  if (state(model.found, model, end) != state(model.sent, model, end))
    model.complain("the newest values are not those that were written");
}

// What the last cleaning had no right to take.
void judge(const Model& before, const Offset limit, int64_t now, Model& model) {
  for (auto& [offset, one] : before.found) {
    if (model.found.contains(offset)) continue;
    model.dropped++;
    const Written& sent = model.sent.at(offset);
    if (Offset(offset) >= limit)
      model.complain(fmt::format("{} is gone, only what lies below {} may go", offset, limit));
    bool newer = false;
    for (const auto& [later, other] : model.sent)
      newer = newer || (later > offset && Offset(later) < limit && other.key == sent.key &&
                        other.committed.value_or(false));
    if (newer || !sent.committed.value_or(true)) continue;
    if (sent.value) model.complain(fmt::format("{} is gone and was the newest", offset));
    bool due = sent.cleanable_since >= 0 && now >= sent.cleanable_since + kRetention;
    if (!sent.value && !due) model.complain(fmt::format("tombstone {} is gone too early", offset));
  }
  for (auto& [offset, one] : model.sent)
    if (!one.value && Offset(offset) < limit && one.cleanable_since < 0) one.cleanable_since = now;
}

// A small map is full in the middle of a log.
Task<void> clean(Env& env, Log& log, bool small_map, Model& model) {
  co_await look(env, log, model);
  Model before = model;
  CleanView view = log.clean_view();
  Offset limit = std::min(view.last_stable, view.active);
  LogConfig quick = log.config();
  quick.delete_delay = milliseconds(1);
  log.reconfigure(quick);
  CleanerConfig config{.map = {.bytes = small_map ? size_t{24} * 6 : size_t{24} * 40},
                       .io_bytes = 300};
  Cleaner cleaner(env, config);
  cleaner.add(log);
  OffsetMap map(config.map, {3, 5});
  (void)co_await cleaner.clean_dirtiest(map);
  CleanerStats stats = cleaner.stats();
  if (!stats.last_error.empty()) model.complain(stats.last_error);
  co_await env.loop.sleep(milliseconds(5));
  co_await cleaner.remove(env, log);
  co_await cleaner.stop();
  co_await check(env, log, model);
  judge(before, limit, env.clock.wall().millis, model);
}

// One life of the process; returns behind the step that ended it.
Task<void> live(Env& env, const std::vector<Step>& steps, size_t& at, Model& model) {
  TestLog opened;
  opened.dir_config.checkpoint_interval = seconds(7);
  Result<void> done = co_await opened.open(env, kSmall);
  if (!done) co_return model.complain(done.error().to_string());
  Log& log = *opened.log;
  co_await check(env, log, model);
  bool close = true;
  while (at < steps.size() && model.error.empty()) {
    const Step& step = steps[at++];
    using enum Step::Kind;
    if (step.kind == put || step.kind == put_in_transaction)
      co_await write(env, log, step, model);
    else if (step.kind == commit || step.kind == abort)
      co_await end_transaction(env, log, step, model);
    else if (step.kind == wait)
      co_await env.loop.sleep(seconds(20));
    else if (step.kind == Step::Kind::clean)
      co_await moldau::log::clean(env, log, step.count % 2 == 0, model);
    close = step.kind != crash;
    if (step.kind == reopen || step.kind == crash) break;
    co_await env.loop.sleep(milliseconds(5));
  }
  if (!close) co_return;
  done = co_await opened.close(env);
  if (!done) model.complain(done.error().to_string());
}

rc::Gen<Step> any_step() {
  using enum Step::Kind;
  auto kind = rc::gen::weightedElement<Step::Kind>({{8, put},
                                                    {5, put_in_transaction},
                                                    {3, commit},
                                                    {2, abort},
                                                    {3, clean},
                                                    {1, wait},
                                                    {1, reopen},
                                                    {1, crash}});
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind, kind), rc::gen::set(&Step::key), rc::gen::set(&Step::producer),
      rc::gen::set(&Step::count),
      rc::gen::set(&Step::tombstone, rc::gen::weightedElement<bool>({{4, false}, {1, true}})));
}

// The process's clock goes on over its lives.
Task<void> live_later(Env& env, const std::vector<Step>& steps, size_t& at, Model& model,
                      Duration began) {
  co_await env.loop.sleep(began);
  co_await live(env, steps, at, model);
}

// What went wrong, or nothing.
std::string tell(const std::vector<Step>& steps, int64_t* dropped) {
  TestDisk disk;
  Model model;
  Duration began{1};
  for (size_t at = 0, lives = 0; (at < steps.size() || lives == 0) && model.error.empty();
       lives++) {
    TestWorld world(disk);
    if (!world.run(live_later(world.env, steps, at, model, began))) return "it never ends";
    began = world.loop.now() - Instant{};
    if (at > 0 && steps[at - 1].kind == Step::Kind::crash) disk.lose_power();
  }
  *dropped = model.dropped;
  return model.error;
}

RC_GTEST_PROP(CleanerProperty, TheNewestOfEachKeySurvivesAndNothingElseChanges, ()) {
  auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  int64_t dropped = 0;
  std::string error = tell(steps, &dropped);
  RC_TAG(dropped > 0 ? "dropped some" : "dropped nothing");
  if (!error.empty()) RC_FAIL(error);
}

#ifdef MOLDAU_PLANTED_BUGS
// The model would be worth nothing if it did not see these.
TEST(CleanerProperty, PlantedBugsAreFound) {
  constexpr Step::Kind kKinds[] = {Step::Kind::put,
                                   Step::Kind::put,
                                   Step::Kind::put_in_transaction,
                                   Step::Kind::commit,
                                   Step::Kind::abort,
                                   Step::Kind::put,
                                   Step::Kind::put_in_transaction,
                                   Step::Kind::clean,
                                   Step::Kind::reopen,
                                   Step::Kind::put,
                                   Step::Kind::clean,
                                   Step::Kind::put};
  for (Bug bug : {Bug::cleaner_tombstone_early, Bug::cleaner_drops_unmapped,
                  Bug::cleaner_past_stable, Bug::cleaner_mixes_keys}) {
    std::string error;
    for (uint64_t seed = 1; seed <= 40 && error.empty(); seed++) {
      Random random(seed);
      std::vector<Step> steps(80);
      for (Step& step : steps) {
        step.kind = kKinds[random.below(std::size(kKinds))];
        step.key = static_cast<uint8_t>(random.below(256));
        step.producer = static_cast<uint8_t>(random.below(3));
        step.count = static_cast<uint8_t>(random.below(5));
        step.tombstone = random.one_in(5);
      }
      int64_t dropped = 0;
      plant(Bug::none);
      EXPECT_EQ(tell(steps, &dropped), "") << seed;
      plant(bug);
      error = tell(steps, &dropped);
      plant(Bug::none);
    }
    EXPECT_NE(error, "") << bug_name(bug);
  }
}
#endif

}  // namespace
}  // namespace moldau::log
