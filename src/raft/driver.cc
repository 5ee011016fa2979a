#include "raft/driver.h"

#include <cstring>

#include "host/clock.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "host/loop.h"
#include "host/whole_file.h"
#include "log/log_dir.h"
#include "raft/snapshot_name.h"

namespace moldau::raft {

using host::Task;

namespace {

constexpr std::string_view kDirectory = "__cluster_metadata-0";
constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kMaxStateBytes = 1 << 20;
constexpr size_t kMaxSnapshot = size_t{1} << 30;

std::string state_path(const log::Log& log) { return log.path() + "/quorum-state"; }

Task<Result<std::vector<uint8_t>>> read_batches(host::Env& env, log::Log& log,
                                                log::ReadRequest request) {
  CO_TRY(read, log.read(env, request));
  co_return co_await log::gather(read);
}

Result<void> learn_voters(const wire::BatchHeader& header, Bytes batch, VoterHistory& voters) {
  if (!header.control()) return {};
  TRY(records, read_control_batch(header, batch));
  for (ControlRecord& record : records) {
    if (record.kraft_version) voters.set_kraft_version(record.offset, *record.kraft_version);
    if (record.voters) voters.set_voters(record.offset, *record.voters);
  }
  return {};
}

// What the batches say of epochs and voters. Returns where the last one ends.
Result<Offset> learn(Bytes bytes, Offset at, Recovered& out) {
  wire::BatchWalk walk(bytes, wire::BatchWalk::Torn::tolerate);
  while (walk.next()) {
    const wire::BatchHeader& header = walk.header();
    out.log.epochs.assign(header.leader_epoch, header.base_offset);
    at = header.next_offset();
    TRY_(learn_voters(header, walk.batch(), out.voters));
  }
  TRY_(walk.finish());
  return at;
}

// The voters as a snapshot has them; its own offsets are none of the log's.
Result<VoterHistory> voters_of_snapshot(std::string_view content, const VoterHistory& otherwise) {
  VoterHistory voters = otherwise;
  wire::BatchWalk walk(as_bytes(content), wire::BatchWalk::Torn::refuse);
  while (walk.next()) {
    TRY_(wire::check_batch_crc(walk.batch()));
    TRY_(learn_voters(walk.header(), walk.batch(), voters));
  }
  TRY_(walk.finish());
  return VoterHistory(voters.voters(), voters.kraft_version());
}

// The snapshots beside the log; from the one that the log begins behind also the voters. Apache
// Kafka keeps those that a new cluster begins with in a snapshot at offset 0.
Task<Result<void>> learn_snapshots(host::Env& env, const log::Log& log, Recovered& out) {
  log::Offsets offsets = log.offsets();
  out.log.start.offset = offsets.start;
  std::string directory = log.path();
  bool found = offsets.start.value == 0;
  CO_TRY(entries, env.disk.list(directory));
  for (const auto& entry : entries) {
    std::optional<OffsetAndEpoch> id = parse_snapshot_name(entry.name);
    if (!id || id->offset > offsets.end) continue;
    out.log.snapshots.push_back({*id, entry.size});
    if (id->offset != offsets.start) continue;
    found = true;
    out.log.start = *id;
    std::string path = directory + "/" + entry.name;
    Result<std::string> content = co_await host::read_whole_file(env.disk, path, kMaxSnapshot);
    if (!content) co_return std::move(content.error());
    Result<VoterHistory> voters = voters_of_snapshot(*content, out.voters);
    if (!voters) co_return std::move(voters.error()).in(path);
    out.voters = *voters;
  }
  if (!found)
    co_return fail(Errc::corrupt,
                   fmt::format("{} begins at offset {}, and no snapshot ends there: bring back its "
                               ".checkpoint file",
                               directory, offsets.start));
  co_return Result<void>();
}

Task<Result<void>> learn_log(host::Env& env, log::Log& log, Recovered& out) {
  log::Offsets offsets = log.offsets();
  out.log.end = offsets.end;
  Offset at = offsets.start;
  while (at < offsets.end) {
    log::ReadRequest request{.from = at, .max_bytes = kReadBytes, .limit = offsets.end};
    CO_TRY(bytes, read_batches(env, log, request));
    TRY_CO(next, learn(bytes, at, out));
    if (next <= at)
      co_return fail(Errc::corrupt, fmt::format("{} has no batch at offset {}", log.path(), at));
    at = next;
  }
  co_return Result<void>();
}

Task<Result<void>> learn_state(host::Env& env, const log::Log& log, Recovered& out) {
  std::string path = state_path(log);
  Result<std::string> text = co_await host::read_whole_file(env.disk, path, kMaxStateBytes);
  if (!text && text.error().code() == Errc::not_found) co_return Result<void>();
  if (!text) co_return std::move(text.error());
  Result<QuorumState> state = decode_quorum_state(*text);
  if (!state) co_return std::move(state.error()).in(path);
  out.state = *state;
  co_return Result<void>();
}

}  // namespace

Driver::Driver(host::Env& env, std::unique_ptr<log::Log> log, Config config, Recovered recovered)
    : env_(env),
      log_(std::move(log)),
      core_(std::move(config), std::move(recovered), env.entropy.next()),
      durable_(log_->offsets().durable),
      scope_(env.loop, "raft") {}

Driver::~Driver() = default;

Task<Result<std::unique_ptr<Driver>>> Driver::open(host::Env& env, log::LogDir& dir,
                                                   Options options) {
  std::string directory(kDirectory);
  CO_TRY(log, log::Log::open(env, dir, directory, options.log));
  Recovered recovered{std::nullopt, {}, std::move(options.voters)};
  log::Log& opened = *log;
  CO_TRY_(learn_snapshots(env, opened, recovered));
  CO_TRY_(learn_log(env, opened, recovered));
  CO_TRY_(learn_state(env, opened, recovered));
  auto driver = std::make_unique<Driver>(env, std::move(log), std::move(options.config),
                                         std::move(recovered));
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
  for (LogWrite& write : effects.writes) put(write);
  if (effects.persist) {
    persist_ = std::move(effects.persist);
    persist_wanted_.raise();
  }
  for (Send& send : effects.sends) unsent_.push_back(std::move(send));
  for (Answer& answer : effects.answers) {
    auto asked = asked_.find(answer.token);
    if (asked != asked_.end()) asked->second = std::move(answer.response);
  }
  if (!effects.answers.empty()) answered_.raise();
  if (effects.halt) fail_with(fail(Errc::corrupt, *effects.halt));
  stopped_ |= effects.stopped;
  bool moved = effects.role_changed || effects.high_watermark_moved || effects.stopped;
  if (moved) moved_.raise();
  if (effects.wake_at != wake_at_ || !unsent_.empty()) wake_.raise();
  wake_at_ = effects.wake_at;
}

void Driver::put(LogWrite& write) {
  if (write.truncates())
    return fail_with(fail(Errc::unsupported, "a log that follows another cannot be cut yet"));
  BlockRef block = BlockRef::allocate(write.bytes.size());
  std::memcpy(block.data(), write.bytes.data(), write.bytes.size());
  MutableBytes bytes(block.data(), write.bytes.size());
  Result<log::Appended> appended = log_->append_verbatim(block, bytes, env_.clock.wall());
  if (!appended) return fail_with(std::move(appended.error()));
  writes_.push_back({write.number, appended->last + 1});
  write_wanted_.raise();
}

// What was taken back may be what others were promised: the replica stops, and a restart begins
// with what is on the disk.
void Driver::fail_with(Error error) {
  if (!failure_) failure_ = std::move(error);
  moved_.raise();
  answered_.raise();
  wake_.raise();
  write_wanted_.raise();
  persist_wanted_.raise();
}

void Driver::on_committed(Offset committed) {
  durable_ = std::max(durable_, committed);
  wake_.raise();
}

void Driver::on_failed() {
  log_failed_ = true;
  wake_.raise();
}

// --- What the core is told ---

void Driver::catch_up() {
  if (log_failed_)
    return fail_with(fail(Errc::offline,
                          "the metadata log could not be written; free space or "
                          "mend the disk, and start again"));
  std::vector<Send> unsent = std::exchange(unsent_, {});
  for (const Send& send : unsent) carry_out(core_.send_failed(now(), send.to, send.id));
  std::optional<uint64_t> durable;
  while (!writes_.empty() && writes_.front().end <= durable_) {
    durable = writes_.front().number;
    writes_.pop_front();
  }
  if (durable) carry_out(core_.log_durable(now(), *durable));
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

Task<void> Driver::keep_log() {
  host::WaitSet changes(env_.loop);
  changes.watch(write_wanted_);
  while (!ended()) {
    co_await log_->write_out(env_);
    if (ended()) co_return;
    co_await changes.wait_until(kNever);
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
    std::string text = encode_quorum_state(next.state, next.version);
    Result<void> done = co_await host::replace_whole_file(env_.disk, path, std::move(text));
    if (!done) co_return fail_with(std::move(done.error()).in(path));
    carry_out(core_.persisted(now(), next.number));
  }
}

// --- What others want ---

Result<Driver::Appended> Driver::append(std::vector<uint8_t> batch) {
  if (ended() || core_.role() != RoleName::leader)
    return fail(Errc::refused, "this replica does not lead the metadata log");
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

Task<Result<void>> Driver::add_records(FetchResponse& response) {
  if (!response.read_at) co_return Result<void>();
  auto max_bytes = static_cast<size_t>(std::max(response.max_bytes, 0));
  log::ReadRequest request{
      .from = *response.read_at, .max_bytes = max_bytes, .limit = log_->offsets().end};
  CO_TRY(bytes, read_batches(env_, *log_, request));
  response.records = std::move(bytes);
  co_return Result<void>();
}

Task<Result<void>> Driver::add_piece(FetchSnapshotResponse& response) {
  if (response.max_bytes <= 0) co_return Result<void>();
  std::string path = log_->path() + "/" + snapshot_name(response.snapshot);
  CO_TRY(file, env_.disk.open(path, host::OpenMode::read));
  response.bytes.resize(static_cast<size_t>(response.max_bytes));
  MutableBytes into(response.bytes);
  Result<size_t> got = co_await file->read_at(into, response.position);
  if (!got) co_return std::move(got.error()).in(path);
  response.bytes.resize(*got);
  co_return Result<void>();
}

Task<Result<void>> Driver::write_snapshot(OffsetAndEpoch id, std::string content) {
  std::string path = log_->path() + "/" + snapshot_name(id);
  int64_t size = std::ssize(content);
  CO_TRY_(host::replace_whole_file(env_.disk, path, std::move(content)));
  Snapshot snapshot{id, size};
  carry_out(core_.snapshot_written(now(), snapshot));
  co_return Result<void>();
}

Task<Result<std::string>> Driver::read_snapshot(OffsetAndEpoch id) {
  std::string path = log_->path() + "/" + snapshot_name(id);
  co_return co_await host::read_whole_file(env_.disk, path, kMaxSnapshot);
}

Task<Result<std::vector<uint8_t>>> Driver::read(Offset from, size_t max_bytes) {
  log::ReadRequest request{.from = from, .max_bytes = max_bytes, .limit = core_.high_watermark()};
  co_return co_await read_batches(env_, *log_, request);
}

Task<Result<void>> Driver::close() {
  host::WaitSet changes(env_.loop);
  changes.watch(moved_);
  carry_out(core_.shutdown(now()));
  while (!stopped_ && !failure_) co_await changes.wait_until(kNever);
  closing_ = true;
  answered_.raise();
  wake_.raise();
  write_wanted_.raise();
  persist_wanted_.raise();
  co_await scope_.drained();
  log::Log& log = *log_;
  Result<void> closed = co_await log.close(env_);
  if (failure_) co_return *failure_;
  co_return closed;
}

}  // namespace moldau::raft
