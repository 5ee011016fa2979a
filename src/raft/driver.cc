#include "raft/driver.h"

#include "base/bug.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "host/logging.h"
#include "host/loop.h"
#include "host/whole_file.h"
#include "raft/driver_recover.h"

namespace moldau::raft {

using host::Task;

namespace {

constexpr size_t kMaxJobs = 8;  // pieces of a snapshot that wait for the disk

}  // namespace

Driver::Driver(host::Env& env, std::unique_ptr<log::Log> log, Options options, Recovered recovered)
    : env_(env),
      log_(std::move(log)),
      configured_(std::move(options.voters)),
      peers_(options.peers),
      logger_(options.logger),
      core_(std::move(options.config), std::move(recovered), env.entropy.next()),
      scope_(env.loop, "raft") {}

Driver::~Driver() = default;

Task<Result<std::unique_ptr<Driver>>> Driver::open(host::Env& env, log::LogDir& dir,
                                                   Options options) {
  std::string directory = "__cluster_metadata-0";
  CO_TRY(log, log::Log::open(env, dir, directory, options.log));
  log::Log& opened = *log;
  VoterHistory configured = options.voters;
  CO_TRY(recovered, recover(env, opened, configured));
  auto driver =
      std::make_unique<Driver>(env, std::move(log), std::move(options), std::move(recovered));
  driver->begin();
  co_return std::move(driver);
}

void Driver::begin() {
  log_->set_listener(this);
  carry_out(core_.start(now()));
  scope_.spawn(keep_time());
  scope_.spawn(keep_log());
  scope_.spawn(keep_state());
}

Now Driver::now() const { return {env_.loop.now(), env_.clock.wall()}; }

// --- What the core wants ---

void Driver::carry_out(Effects effects) {
  for (LogWrite& write : effects.writes) put(std::move(write));
  for (SnapshotStep& step : effects.snapshot) jobs_.emplace_back(std::move(step));
  if (!jobs_.empty()) work_.raise();
  if (effects.persist) {
    persist_ = std::move(effects.persist);
    persist_wanted_.raise();
  }
  for (Send& send : effects.sends) scope_.spawn(exchange(std::move(send)));
  for (Answer& answer : effects.answers) {
    auto asked = asked_.find(answer.token);
    if (asked != asked_.end()) asked->second = std::move(answer.response);
  }
  if (!effects.answers.empty()) answered_.raise();
  for (const std::string& text : effects.complaints)
    if (logger_) MOLDAU_LOG_WARN(*logger_, "{}", text);
  if (effects.role_changed && logger_)
    MOLDAU_LOG_INFO(*logger_, "{} in epoch {}, led by {}", role_name(core_.role()),
                    core_.state().epoch, core_.leader().leader);
  if (effects.halt) fail_with(fail(Errc::corrupt, *effects.halt));
  stopped_ |= effects.stopped;
  if (effects.role_changed || effects.high_watermark_moved || effects.stopped) moved_.raise();
  if (effects.wake_at != wake_at_) wake_.raise();
  wake_at_ = effects.wake_at;
}

// What was taken back may be what others were promised: the replica stops, and a restart begins
// with what is on the disk.
void Driver::fail_with(Error error) {
  if (!failure_ && logger_) MOLDAU_LOG_ERROR(*logger_, "stops: {}", error.to_string());
  if (!failure_) failure_ = std::move(error);
  wake_all();
}

void Driver::wake_all() {
  moved_.raise();
  answered_.raise();
  wake_.raise();
  work_.raise();
  worked_.raise();
  persist_wanted_.raise();
}

void Driver::on_committed(Offset) { wake_.raise(); }

// A cut takes appends back, too.
void Driver::on_failed() {
  if (at_job_ && !log_->offline()) return;
  log_failed_ = true;
  wake_.raise();
}

// --- What the core is told ---

void Driver::catch_up() {
  if (log_failed_)
    return fail_with(fail(Errc::offline,
                          "the metadata log could not be written; free space or "
                          "mend the disk, and start again"));
  std::optional<uint64_t> number;
  Offset durable = log_->offsets().durable;
  if (planted(Bug::raft_cut_keeps_durable))
    durable = most_durable_ = std::max(durable, most_durable_);
  while (!writes_.empty() && writes_.front().end <= durable) {
    number = writes_.front().number;
    writes_.pop_front();
  }
  if (number) carry_out(core_.log_durable(now(), *number));
  if (wake_at_ <= env_.loop.now()) carry_out(core_.tick(now()));
}

Task<void> Driver::keep_time() {
  host::WaitSet changes(env_.loop);
  changes.watch(wake_);
  while (!ended()) {
    catch_up();
    if (ended()) co_return;
    co_await changes.wait_until(wake_at_);
  }
}

Task<void> Driver::keep_state() {
  host::WaitSet changes(env_.loop);
  changes.watch(persist_wanted_);
  std::string path = state_path(*log_);
  while (!ended()) {
    if (!persist_) {
      co_await changes.wait_until(kNever);
      continue;
    }
    Persist next = *std::exchange(persist_, std::nullopt);
    if (planted(Bug::raft_state_unfinished)) carry_out(core_.persisted(now(), next.number));
    std::string text = encode_quorum_state(next.state, next.version);
    Result<void> done = co_await host::replace_whole_file(env_.disk, path, std::move(text));
    if (!done) co_return fail_with(std::move(done.error()).in(path));
    carry_out(core_.persisted(now(), next.number));
  }
}

// --- What it asks others ---

Task<void> Driver::exchange(Send send) {
  Result<Response> response = fail(Errc::unreachable, "there is no network");
  if (peers_)
    response = co_await peers_->ask(send.to, std::move(send.endpoints), std::move(send.request));
  if (!response && logger_)
    MOLDAU_LOG_DEBUG(*logger_, "node {}: {}", send.to, response.error().to_string());
  // The network must not be quicker than the disk: what it brings is in memory.
  host::WaitSet changes(env_.loop);
  changes.watch(worked_);
  bool piece = response && std::holds_alternative<FetchSnapshotResponse>(*response);
  while (piece && jobs_.size() >= kMaxJobs && !ended()) co_await changes.wait_until(kNever);
  if (ended()) co_return;
  if (response)
    carry_out(core_.response(now(), send.to, send.id, *response));
  else
    carry_out(core_.send_failed(now(), send.to, send.id));
}

// --- What others want ---

Result<Driver::Appended> Driver::append(std::vector<uint8_t> batch) {
  if (!leads()) return fail(Errc::refused, "this replica does not lead the metadata log");
  Offset base;
  carry_out(core_.append(now(), std::move(batch), &base));
  return Appended{core_.log().end() - 1, core_.state().epoch};
}

Task<Result<void>> Driver::wait_committed(Appended appended, Instant deadline) {
  host::WaitSet changes(env_.loop);
  changes.watch(moved_);
  for (;;) {
    if (failure_) co_return *failure_;
    bool ours = core_.role() == RoleName::leader && core_.state().epoch == appended.epoch;
    if (ours && core_.high_watermark() > appended.last) co_return Result<void>();
    if (!ours)
      co_return fail(Errc::refused, "this replica does not lead the metadata log any more");
    bool raised = co_await changes.wait_until(deadline);
    if (!raised) co_return fail(Errc::timed_out, "not committed in time; it may be later");
  }
}

Task<Result<Response>> Driver::ask(Request request) {
  if (failure_) co_return *failure_;
  if (closing_) co_return fail(Errc::closed, "the replica has been closed");
  host::WaitSet changes(env_.loop);
  changes.watch(answered_);
  uint64_t token = ++tokens_;
  asked_[token];
  carry_out(core_.request(now(), token, request));
  while (!asked_[token] && !ended()) co_await changes.wait_until(kNever);
  std::optional<Response> response = std::move(asked_[token]);
  asked_.erase(token);
  if (failure_) co_return *failure_;
  if (!response) co_return fail(Errc::closed, "the replica has been closed");
  if (auto* fetch = std::get_if<FetchResponse>(&*response)) {
    FetchResponse& answer = *fetch;
    CO_TRY_(add_records(answer));
  }
  if (auto* fetch = std::get_if<FetchSnapshotResponse>(&*response)) {
    FetchSnapshotResponse& answer = *fetch;
    CO_TRY_(add_piece(answer));
  }
  co_return std::move(*response);
}

// While it is read, another may be elected and its records take the place of ours: only a leader's
// own log stays as it is, for as long as it leads. A log that is being cut has not got all yet.
Task<Result<void>> Driver::add_records(FetchResponse& response) {
  if (!response.read_at) co_return Result<void>();
  auto leads = [&] {
    return core_.role() == RoleName::leader && core_.state().epoch == response.leader.epoch;
  };
  host::WaitSet changes(env_.loop);
  changes.watch(worked_);
  changes.watch(moved_);
  while (leads() && !ended() && log_->offsets().end <= *response.read_at)
    co_await changes.wait_until(kNever);
  if (ended()) co_return fail(Errc::closed, "the replica has been closed");
  auto max_bytes = static_cast<size_t>(std::max(response.max_bytes, 0));
  log::ReadRequest request{
      .from = *response.read_at, .max_bytes = max_bytes, .limit = log_->offsets().end};
  Result<std::vector<uint8_t>> bytes = co_await read_batches(env_, *log_, request);
  // The log begins later by now: the next question gets the snapshot.
  bool trimmed = !bytes && bytes.error().code() == Errc::out_of_range;
  if (!bytes && !trimmed && leads()) co_return std::move(bytes.error());
  if (bytes && leads()) response.records = std::move(*bytes);
  if (!leads()) response.error = ErrorCode::not_leader_or_follower;
  co_return Result<void>();
}

Task<Result<void>> Driver::add_piece(FetchSnapshotResponse& response) {
  if (response.max_bytes <= 0) co_return Result<void>();
  std::string path = snapshot_path(*log_, response.snapshot);
  Result<std::unique_ptr<host::File>> file = co_await env_.disk.open(path, host::OpenMode::read);
  if (!file && file.error().code() == Errc::not_found) {
    response.error = ErrorCode::snapshot_not_found;
    co_return Result<void>();
  }
  if (!file) co_return std::move(file.error());
  response.bytes.resize(static_cast<size_t>(response.max_bytes));
  MutableBytes into(response.bytes);
  Result<size_t> got = co_await (*file)->read_at(into, response.position);
  if (!got) co_return std::move(got.error()).in(path);
  response.bytes.resize(*got);
  co_return Result<void>();
}

Task<Result<std::vector<uint8_t>>> Driver::read(Offset from, size_t max_bytes) {
  log::ReadRequest request{.from = from, .max_bytes = max_bytes, .limit = core_.high_watermark()};
  co_return co_await read_batches(env_, *log_, request);
}

const Snapshot* Driver::base() const { return core_.log().snapshot_at(core_.log().start()); }

Task<Result<std::string>> Driver::read_snapshot(OffsetAndEpoch id) {
  std::string path = snapshot_path(*log_, id);
  co_return co_await host::read_whole_file(env_.disk, path, kMaxSnapshot);
}

Task<Result<void>> Driver::write_snapshot(OffsetAndEpoch id, std::string content) {
  std::string path = snapshot_path(*log_, id);
  int64_t size = std::ssize(content);
  CO_TRY_(host::replace_whole_file(env_.disk, path, std::move(content)));
  Snapshot snapshot{id, size};
  carry_out(core_.snapshot_written(now(), snapshot));
  co_return Result<void>();
}

void Driver::trim(Offset snapshot_end) {
  jobs_.emplace_back(Trim{snapshot_end});
  work_.raise();
}

Task<Result<void>> Driver::close() {
  host::WaitSet changes(env_.loop);
  changes.watch(moved_);
  carry_out(core_.shutdown(now()));
  while (!stopped_ && !failure_) co_await changes.wait_until(kNever);
  closing_ = true;
  wake_all();
  if (peers_) peers_->close();
  co_await scope_.drained();
  log::Log& log = *log_;
  Result<void> closed = co_await log.close(env_);
  if (failure_) co_return *failure_;
  co_return closed;
}

}  // namespace moldau::raft
