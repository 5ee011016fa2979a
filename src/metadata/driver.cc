#include "metadata/driver.h"

#include <fmt/format.h>

#include "base/bug.h"
#include "base/check.h"
#include "host/clock.h"
#include "host/loop.h"
#include "metadata/controller/activation.h"
#include "metadata/snapshot.h"
#include "wire/record_batch_builder.h"

namespace moldau::metadata {

using host::Task;

namespace {

constexpr size_t kReadBytes = 1 << 20;

Error closed() { return fail(Errc::closed, "the node is stopping"); }

}  // namespace

Driver::Driver(host::Env& env, raft::Driver& raft, DriverConfig config, host::Logger& logger)
    : env_(env),
      raft_(raft),
      config_(std::move(config)),
      logger_(logger),
      image_(std::make_shared<const Image>()),
      sessions_(config_.session_timeout),
      last_snapshot_(env.loop.now()),
      scope_(env.loop, "metadata") {}

Driver::~Driver() = default;

Task<Result<std::unique_ptr<Driver>>> Driver::open(host::Env& env, raft::Driver& raft,
                                                   DriverConfig config, host::Logger& logger) {
  auto driver = std::make_unique<Driver>(env, raft, std::move(config), logger);
  Driver& opened = *driver;
  CO_TRY_(opened.load());
  opened.scope_.spawn(opened.follow());
  opened.scope_.spawn(opened.keep_watch());
  opened.scope_.spawn(opened.keep_snapshots());
  co_return std::move(driver);
}

Task<Result<void>> Driver::load() {
  const raft::Snapshot* latest = raft_.core().log().latest_snapshot();
  if (!latest) co_return Result<void>();
  co_return co_await load_snapshot(latest->id);
}

Task<Result<void>> Driver::load_snapshot(raft::OffsetAndEpoch id) {
  CO_TRY(content, raft_.read_snapshot(id));
  Position at{.next = id.offset, .epoch = id.epoch};
  Result<Image> image = read_snapshot(as_bytes(content), at);
  if (!image) co_return std::move(image.error()).in(fmt::format("the metadata snapshot at {}", id));
  loader_ = Loader(std::move(*image));
  snapshot_end_ = id.offset;
  publish();
  co_return Result<void>();
}

std::shared_ptr<const Image> Driver::image() const {
  return image_.enter([](const auto& image) { return image; });
}

void Driver::publish() {
  auto next = std::make_shared<const Image>(loader_.image());
  image_.enter([&](auto& image) { image = std::move(next); });
  (void)loader_.take_changes();
  moved_.raise();
}

// The log and we do not mean the same thing: to go on would be to serve another cluster.
void Driver::fail_with(Error error) {
  if (failure_) return;
  MOLDAU_LOG_ERROR(logger_, "the metadata log cannot be followed: {}", error.to_string());
  failure_ = std::move(error);
  tip_.reset();
  moved_.raise();
  wake_.raise();
}

// --- Following ---

Task<void> Driver::follow() {
  host::WaitSet changes(env_.loop);
  changes.watch(raft_.moved());
  changes.watch(wake_);
  while (!ended()) {
    if (raft_.failure()) co_return fail_with(*raft_.failure());
    // Another's snapshot has taken the place of what we would read.
    if (loader_.next() < raft_.core().log().start() && raft_.base()) {
      raft::OffsetAndEpoch id = raft_.base()->id;
      Result<void> loaded = co_await load_snapshot(id);
      if (!loaded) co_return fail_with(std::move(loaded.error()));
      continue;
    }
    if (loader_.next() < raft_.core().high_watermark()) {
      Result<void> read = co_await read_on();
      if (!read) co_return fail_with(std::move(read.error()));
      continue;
    }
    look_at_role();
    co_await changes.wait_until(kNever);
  }
}

Task<Result<void>> Driver::read_on() {
  CO_TRY(bytes, raft_.read(loader_.next(), kReadBytes));
  wire::BatchWalk walk(bytes, wire::BatchWalk::Torn::tolerate);
  Offset before = loader_.next();
  while (walk.next()) {
    if (walk.header().next_offset() <= loader_.next()) continue;  // the snapshot had it
    Result<bool> added = loader_.add(walk.batch());
    if (!added) co_return std::move(added.error());
    bytes_since_snapshot_ += std::ssize(walk.batch());
  }
  if (Result<void> whole = walk.finish(); !whole) co_return whole;
  if (loader_.next() == before)
    co_return fail(Errc::corrupt, fmt::format("the metadata log has no batch at {}", before));
  publish();
  if (snapshot_is_due()) wake_.raise();
  co_return Result<void>();
}

Task<Result<void>> Driver::wait_for(Offset next) {
  host::WaitSet changes(env_.loop);
  changes.watch(moved_);
  for (;;) {
    if (failure_) co_return *failure_;
    if (stopping_) co_return closed();
    if (loader_.image().at.next >= next) co_return Result<void>();
    co_await changes.wait_until(kNever);
  }
}

// --- Leading ---

void Driver::look_at_role() {
  const raft::LeaderView* leading = raft_.core().leading();
  LeaderEpoch epoch = raft_.core().state().epoch;
  if (tip_ && (!leading || epoch != leads_in_)) end_to_lead();
  bool ready = leading && leading->commits() && loader_.next() > leading->epoch_start();
  if (!tip_ && ready) begin_to_lead();
}

void Driver::begin_to_lead() {
  leads_in_ = raft_.core().state().epoch;
  last_ = {loader_.next() - 1, leads_in_};
  tip_.emplace(loader_.image());
  sessions_ = Sessions(config_.session_timeout);
  Instant now = env_.loop.now();
  for (const auto& [id, broker] : *tip_->image().brokers)
    if (!broker.fenced && id != config_.settings.node) sessions_.touch(id, broker.epoch, -1, now);
  Activation activation{.empty = same_content(tip_->image(), Image()),
                        .in_transaction = loader_.in_transaction(),
                        .bootstrap = config_.bootstrap};
  for (const Records& batch : activation_records(config_.settings, activation)) {
    Result<void> appended = append(batch);
    if (!appended) return end_to_lead();
  }
  MOLDAU_LOG_INFO(logger_, "this node is the controller, in epoch {}", leads_in_);
  last_append_ = now;
  moved_.raise();
  wake_.raise();
}

void Driver::end_to_lead() {
  MOLDAU_LOG_INFO(logger_, "this node is not the controller any more");
  tip_.reset();
  moved_.raise();
}

Task<Result<void>> Driver::wait_to_lead() {
  host::WaitSet changes(env_.loop);
  changes.watch(moved_);
  for (;;) {
    if (failure_) co_return *failure_;
    if (stopping_) co_return closed();
    if (tip_) co_return Result<void>();
    co_await changes.wait_until(kNever);
  }
}

// --- Deciding ---

Result<void> Driver::ready_to_decide() const {
  if (failure_) return *failure_;
  if (stopping_) return closed();
  bool leads = tip_ && raft_.leads() && raft_.core().state().epoch == leads_in_;
  if (leads) return {};
  return fail(Errc::refused, "this node is not the controller");
}

View Driver::view() const {
  if (planted(Bug::metadata_decides_on_image)) [[unlikely]]
    return {loader_.image(), config_.settings};
  return {tip_->image(), config_.settings};
}

Decision<BrokerRegistered> Driver::judge(const RegisterBroker& request) {
  Offset next = raft_.core().log().end();
  return decide(view(), sessions_, request, next, env_.loop.now());
}

Decision<BrokerState> Driver::judge(const BrokerHeartbeat& request) {
  auto decision = decide(view(), sessions_, request);
  // Ours lives as long as this process.
  bool counts = decision.reply.good() && request.broker != config_.settings.node;
  if (!counts) return decision;
  sessions_.touch(request.broker, request.epoch, request.metadata_offset, env_.loop.now());
  if (decision.reply.shutdown_began) {
    auto records = static_cast<int64_t>(decision.records.size());
    sessions_.begin_shutdown(request.broker, (raft_.core().log().end() + records).value);
  }
  if (decision.reply.may_stop) sessions_.end(request.broker);
  wake_.raise();
  return decision;
}

// At once, the tip with it: the next decision sees it.
Result<void> Driver::append(const Records& records) {
  if (records.empty()) return {};
  wire::RecordBatchBuilder builder;
  int64_t now = env_.clock.wall().millis;
  for (const Record& record : records) builder.add(now, std::nullopt, record);
  TRY(appended, raft_.append(builder.finish()));
  last_ = appended;
  last_append_ = env_.loop.now();
  for (const Record& record : records) {
    Result<void> replayed = tip_->replay(record);
    CHECK(replayed, "the controller wrote a record that it cannot read: {}",
          replayed.error().to_string());
  }
  if (planted(Bug::metadata_publishes_tip)) [[unlikely]] {
    auto early = std::make_shared<const Image>(Delta(tip_->image()).finish({last_.last + 1}));
    image_.enter([&](auto& image) { image = std::move(early); });
    moved_.raise();
  }
  return {};
}

Task<Result<void>> Driver::settled(Appended last) {
  if (planted(Bug::metadata_reply_early)) [[unlikely]]
    co_return Result<void>();
  CO_TRY_(raft_.wait_committed(last, kNever));
  co_return co_await wait_for(last.last + 1);
}

template <class Request>
Task<Result<typename ReplyOf<Request>::Type>> Driver::ask(Request request) {
  using Reply = typename ReplyOf<Request>::Type;
  Result<void> ready = ready_to_decide();
  if (!ready) co_return std::move(ready.error());
  Decision<Reply> decision = judge(request);
  Result<void> appended = append(decision.records);
  if (!appended) co_return std::move(appended.error());
  // Also without records: what it saw may not be committed yet.
  Appended last = last_;
  Result<void> done = co_await settled(last);
  if (!done) co_return std::move(done.error());
  co_return std::move(decision.reply);
}

template Task<Result<BrokerRegistered>> Driver::ask(RegisterBroker);
template Task<Result<BrokerState>> Driver::ask(BrokerHeartbeat);
template Task<Result<Verdict>> Driver::ask(UnregisterBroker);
template Task<Result<Verdict>> Driver::ask(RegisterController);
template Task<Result<TopicCreated>> Driver::ask(CreateTopic);
template Task<Result<Verdict>> Driver::ask(DeleteTopic);
template Task<Result<Verdict>> Driver::ask(CreatePartitions);
template Task<Result<Verdict>> Driver::ask(AssignDirectories);
template Task<Result<Verdict>> Driver::ask(ChangeConfigs);
template Task<Result<Verdict>> Driver::ask(ChangeQuotas);
template Task<Result<ProducerIdsAllocated>> Driver::ask(AllocateProducerIds);
template Task<Result<Verdict>> Driver::ask(UpdateFeatures);

// --- By the clock ---

Instant Driver::next_due() const {
  Instant due = tip_ ? sessions_.next_expiry() : kNever;
  if (tip_ && config_.max_idle > Duration()) due = std::min(due, last_append_ + config_.max_idle);
  return due;
}

Task<void> Driver::keep_watch() {
  host::WaitSet changes(env_.loop);
  changes.watch(wake_);
  while (!ended()) {
    if (ready_to_decide()) {
      fence_silent_brokers();
      write_if_idle();
    }
    // A leadership that has just been lost is seen by who follows.
    bool decides = ready_to_decide().has_value();
    co_await changes.wait_until(decides ? next_due() : kNever);
  }
}

void Driver::fence_silent_brokers() {
  for (BrokerId broker : sessions_.expired(env_.loop.now())) {
    sessions_.end(broker);
    Records records = fence_silent(view(), broker);
    if (records.empty()) continue;
    MOLDAU_LOG_WARN(logger_, "broker {} is fenced: not heard of for {} ms", broker,
                    config_.session_timeout.nanos / 1'000'000);
    if (!append(records)) return;
  }
}

// So that who follows sees that the leader is alive, and reads have something to wait for.
void Driver::write_if_idle() {
  if (config_.max_idle <= Duration() || env_.loop.now() < last_append_ + config_.max_idle) return;
  (void)append({no_op_record()});
}

// --- Snapshots ---

bool Driver::snapshot_is_due() const {
  if (loader_.image().at.next <= snapshot_end_) return false;
  if (bytes_since_snapshot_ >= config_.snapshot_bytes) return true;
  return config_.snapshot_interval > Duration() &&
         env_.loop.now() >= last_snapshot_ + config_.snapshot_interval;
}

Task<void> Driver::keep_snapshots() {
  host::WaitSet changes(env_.loop);
  changes.watch(wake_);
  while (!ended()) {
    if (snapshot_is_due()) {
      auto now = std::make_shared<const Image>(loader_.image());
      bytes_since_snapshot_ = 0;
      last_snapshot_ = env_.loop.now();
      Result<void> written = co_await take_snapshot(now);
      if (!written)
        MOLDAU_LOG_WARN(logger_, "no snapshot of the metadata: {}", written.error().to_string());
      continue;
    }
    Duration interval = config_.snapshot_interval;
    co_await changes.wait_until(interval > Duration() ? last_snapshot_ + interval : kNever);
    // Nothing new: the next look is a whole interval later.
    bool idle = !snapshot_is_due() && interval > Duration();
    if (idle && env_.loop.now() >= last_snapshot_ + interval) last_snapshot_ = env_.loop.now();
  }
}

Task<Result<void>> Driver::take_snapshot(std::shared_ptr<const Image> image) {
  const raft::VoterHistory::Entry& voters = raft_.core().voters().at(image->at.next);
  SnapshotContent content{.records = image_records(*image),
                          .epoch = image->at.epoch,
                          .last_contained = WallTime{image->at.timestamp},
                          .kraft_version = voters.kraft_version};
  if (voters.kraft_version > 0) content.voters = voters.voters;
  std::vector<uint8_t> bytes = write_snapshot(content, env_.clock.wall());
  std::string text(as_text(bytes));
  raft::OffsetAndEpoch id{image->at.next, image->at.epoch};
  CO_TRY_(raft_.write_snapshot(id, std::move(text)));
  // Who is not far behind still finds records: the log begins behind the snapshot before.
  raft_.trim(snapshot_end_);
  snapshot_end_ = id.offset;
  MOLDAU_LOG_INFO(logger_, "wrote a snapshot of the metadata at {}", id);
  co_return Result<void>();
}

Task<void> Driver::stop() {
  stopping_ = true;
  tip_.reset();
  moved_.raise();
  wake_.raise();
  co_await scope_.drained();
}

}  // namespace moldau::metadata
