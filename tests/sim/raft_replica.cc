#include "raft_replica.h"

#include <fmt/format.h>

#include "host/clock.h"
#include "host/logging.h"
#include "host/wait_set.h"
#include "log/log_dir.h"
#include "raft/control.h"
#include "sim/world.h"
#include "wire/record_batch_builder.h"

namespace moldau::raftsim {

using host::Task;

namespace {

constexpr size_t kReadBytes = 3'000;

class Narration final : public host::LogSink {
 public:
  Narration(const sim::World& world, BrokerId id) : world_(world), id_(id) {}
  void write(std::string_view line) override { world_.tell("node {}: {}", id_, line); }

 private:
  const sim::World& world_;
  const BrokerId id_;
};

class NoMore final : public raft::ControllerApis {
 public:
  raft::Features features() const override { return {{{"kraft.version", 0, 1}}, {}, -1}; }
};

// What passes between this replica and the others, for the oracle.
class Overheard final : public raft::Peers {
 public:
  Overheard(raft::Peers& peers, Shared& shared, BrokerId own)
      : peers_(peers), shared_(shared), own_(own) {}
  Task<Result<raft::Response>> ask(BrokerId to, std::vector<raft::Endpoint> endpoints,
                                   raft::Request request) override {
    shared_.oracle.on_ask(own_, request);
    raft::Request copy = request;
    Result<raft::Response> response =
        co_await peers_.ask(to, std::move(endpoints), std::move(request));
    if (!response) co_return response;
    shared_.oracle.on_answer(own_, to, copy, *response);
    auto* fetched = std::get_if<raft::FetchResponse>(&*response);
    if (fetched && fetched->diverging) shared_.tempt(own_, "cut");
    auto* vote = std::get_if<raft::VoteResponse>(&*response);
    if (vote && vote->granted) shared_.tempt(to, "voted");
    auto* piece = std::get_if<raft::FetchSnapshotResponse>(&*response);
    bool last =
        piece && piece->size > 0 && piece->position + std::ssize(piece->bytes) == piece->size;
    if (last) shared_.tempt(own_, "snapshot");
    co_return response;
  }
  void close() override { peers_.close(); }

 private:
  raft::Peers& peers_;
  Shared& shared_;
  const BrokerId own_;
};

std::vector<uint8_t> batch_of(std::string value, WallTime now) {
  wire::RecordBatchBuilder builder;
  builder.add(now.millis, std::nullopt, as_bytes(value));
  return builder.finish();
}

// A snapshot whose only record is the state.
std::string snapshot_of(uint64_t state, const raft::VoterHistory::Entry& voters, LeaderEpoch epoch,
                        WallTime now) {
  raft::SnapshotStart start{now, voters.kraft_version, std::nullopt};
  if (voters.kraft_version > 0) start.voters = voters.voters;
  std::string out;
  auto add = [&](std::vector<uint8_t> batch) { out.append(batch.begin(), batch.end()); };
  add(raft::snapshot_header_batch(start, now));
  std::vector<uint8_t> content = batch_of(fmt::format("{:020}", state), now);
  wire::set_base_offset(content, Offset(1));
  wire::set_leader_epoch(content, epoch);
  add(std::move(content));
  add(raft::snapshot_footer_batch(epoch, Offset(2), now));
  return out;
}

std::optional<uint64_t> state_of(std::string_view snapshot) {
  wire::BatchWalk walk(as_bytes(snapshot), wire::BatchWalk::Torn::refuse);
  std::optional<uint64_t> state;
  while (walk.next()) {
    if (walk.header().control()) continue;
    std::string_view batch = as_text(walk.batch());
    // The record ends with its value and a count of headers.
    if (batch.size() < 21) return std::nullopt;
    uint64_t value = 0;
    for (char c : batch.substr(batch.size() - 21, 20))
      value = value * 10 + static_cast<uint64_t>(c - '0');
    state = value;
  }
  return walk.finish() ? state : std::nullopt;
}

uint64_t hash_of(const wire::BatchHeader& header) {
  return uint64_t{header.crc} << 32 ^ static_cast<uint32_t>(header.leader_epoch.value);
}

class Replica {
 public:
  Replica(host::Env& env, Shared& shared, Member& member, raft::Driver& driver)
      : env_(env), shared_(shared), member_(member), driver_(driver) {
    member_.position = Offset();
  }
  Task<void> follow();
  Task<void> lead();
  void stop() {
    stopping_ = true;
    driver_.moved().raise();
  }

 private:
  Task<bool> catch_up();
  Task<void> begin_anew();
  Task<void> take_snapshot();
  Task<void> append_one();
  bool ended() const { return stopping_ || driver_.failure(); }

  host::Env& env_;
  Shared& shared_;
  Member& member_;
  raft::Driver& driver_;
  uint64_t state_ = 0;
  LeaderEpoch last_epoch_;
  bool stopping_ = false;
};

// What is committed, in order, as a controller's image would take it.
Task<void> Replica::follow() {
  host::WaitSet changes(env_.loop);
  changes.watch(driver_.moved());
  while (!ended()) {
    shared_.oracle.on_moved(member_.id, driver_.core());
    bool more = co_await catch_up();
    if (more) continue;
    bool snapshot = shared_.snapshots && env_.entropy.next() % 8 == 0;
    if (snapshot) co_await take_snapshot();
    Instant later = env_.loop.now() + seconds(1);
    co_await changes.wait_until(later);
  }
}

Task<void> Replica::begin_anew() {
  const raft::Snapshot* base = driver_.base();
  if (!base) {
    shared_.oracle.report("no_base", fmt::format("node {}: the log begins at {} behind nothing",
                                                 member_.id, driver_.core().log().start()));
    co_return;
  }
  raft::OffsetAndEpoch id = base->id;
  Result<std::string> content = co_await driver_.read_snapshot(id);
  if (!content) co_return;  // replaced meanwhile, or the disk failed
  std::optional<uint64_t> state = state_of(*content);
  if (!state)
    co_return shared_.oracle.report(
        "snapshot_damaged",
        fmt::format("K10: node {}: the snapshot at {} is none", member_.id, id));
  shared_.oracle.show_snapshot(member_.id, id.offset, *state);
  state_ = *state;
  last_epoch_ = id.epoch;
  member_.position = id.offset;
}

// True: there may be more.
Task<bool> Replica::catch_up() {
  const raft::Core& core = driver_.core();
  if (member_.position < core.log().start()) {
    Offset before = member_.position;
    co_await begin_anew();
    co_return member_.position > before;
  }
  if (core.high_watermark() <= member_.position) co_return false;
  Offset from = member_.position;
  LeaderEpoch epoch = core.state().epoch;
  Result<std::vector<uint8_t>> bytes = co_await driver_.read(from, kReadBytes);
  if (!bytes) {
    // The log may begin later by now.
    bool gone = bytes.error().code() == Errc::out_of_range && from < driver_.core().log().start();
    co_return gone;
  }
  wire::BatchWalk walk(*bytes, wire::BatchWalk::Torn::tolerate);
  Offset before = member_.position;
  while (walk.next()) {
    const wire::BatchHeader& header = walk.header();
    if (header.base_offset != member_.position)
      shared_.oracle.report("gap", fmt::format("node {}: {} follows {}", member_.id,
                                               header.base_offset, member_.position));
    Oracle::Shown batch{header.base_offset, header.next_offset(), hash_of(header)};
    state_ = shared_.oracle.show(member_.id, batch, epoch, state_);
    member_.position = header.next_offset();
    last_epoch_ = header.leader_epoch;
  }
  co_return member_.position > before;
}

Task<void> Replica::take_snapshot() {
  const raft::Core& core = driver_.core();
  raft::OffsetAndEpoch id{member_.position, last_epoch_};
  if (id.offset <= core.log().start() || core.log().find_snapshot(id)) co_return;
  std::string content =
      snapshot_of(state_, core.voters().at(id.offset), id.epoch, env_.clock.wall());
  Result<void> written = co_await driver_.write_snapshot(id, std::move(content));
  if (!written) co_return;
  bool trims = env_.entropy.next() % 2 == 0;
  if (trims) driver_.trim(id.offset);
}

Task<void> Replica::lead() {
  host::WaitSet changes(env_.loop);
  changes.watch(driver_.moved());
  while (!ended()) {
    bool leads = driver_.core().role() == raft::RoleName::leader;
    if (leads && !shared_.quiet) co_await append_one();
    uint64_t rest = env_.entropy.next() % 100;
    Instant later = env_.loop.now() + milliseconds(static_cast<int64_t>(rest));
    if (leads)
      co_await env_.loop.sleep_until(later);
    else
      co_await changes.wait_until(kNever);
  }
}

Task<void> Replica::append_one() {
  std::string value(env_.entropy.next() % 200, 'v');
  value += fmt::format("{} {}", member_.id, env_.entropy.next());
  std::vector<uint8_t> batch = batch_of(std::move(value), env_.clock.wall());
  Result<wire::BatchHeader> header = wire::read_batch_header(batch);
  Result<raft::Driver::Appended> appended = driver_.append(std::move(batch));
  if (!appended || !header) co_return;
  raft::Driver::Appended one = *appended;
  header->leader_epoch = one.epoch;
  uint64_t hash = hash_of(*header);
  uint64_t patience = env_.entropy.next() % 2;
  if (patience == 0) co_return;
  Instant deadline = env_.loop.now() + seconds(3);
  Result<void> done = co_await driver_.wait_committed(one, deadline);
  if (done) shared_.oracle.acked(one.last, hash);
}

raft::Driver::Options options_of(Shared& shared, const Member& member) {
  raft::Driver::Options options;
  options.config = shared.config;
  options.log = shared.log;
  options.config.local = {member.id, Uuid{{static_cast<uint8_t>(member.id.value)}}};
  for (const raft::Voter& voter : shared.voters) {
    if (voter.key.id == member.id) options.config.endpoints = voter.endpoints;
    options.config.bootstrap.push_back(voter.endpoints.front());
  }
  bool told = !member.observer || !shared.dynamic;
  if (told)
    options.voters = raft::VoterHistory(raft::VoterSet(shared.voters), shared.dynamic ? 1 : 0);
  if (!member.observer) options.config.bootstrap.clear();
  return options;
}

Task<void> die(host::Env& env, sim::Node& node) {
  node.halt();
  co_await env.loop.sleep_until(kNever);  // where it stands, as a process does
}

// In order.
Task<void> stop(Replica& replica, host::Scope& tasks, raft::Driver& driver,
                raft::Listener& listener) {
  replica.stop();
  co_await tasks.drained();
  Result<void> closed = co_await driver.close();
  (void)closed;
  co_await listener.stop();
}

// Until its disk fails or its time is over.
Task<void> live(host::Env& env, Shared& shared, Member& member, log::LogDir& dir,
                const host::Logger& logger, sim::Node& node) {
  raft::NetworkPeers network(
      env, {.client_id = "raft", .request_timeout = shared.config.request_timeout});
  Overheard peers(network, shared, member.id);
  raft::Driver::Options options = options_of(shared, member);
  options.peers = &peers;
  options.logger = &logger;
  Result<std::unique_ptr<raft::Driver>> opened =
      co_await raft::Driver::open(env, dir, std::move(options));
  if (!opened) {
    std::string why = opened.error().to_string();
    Errc code = opened.error().code();
    if (code == Errc::corrupt || code == Errc::truncated || code == Errc::invalid)
      shared.oracle.report("does_not_open", fmt::format("node {}: {}", member.id, why));
    co_return co_await die(env, node);
  }
  raft::Driver& driver = **opened;
  shared.oracle.on_start(member.id, driver.core());
  NoMore apis;
  host::Address at{host::IpAddress(), kPort};
  auto listening = raft::Listener::open(env, at, driver, apis, &logger);
  if (!listening) co_return co_await die(env, node);
  Replica replica(env, shared, member, driver);
  host::Scope tasks(env.loop, "replica");
  tasks.spawn(replica.follow());
  tasks.spawn(replica.lead());
  host::WaitSet changes(env.loop);
  changes.watch(driver.moved());
  Instant end = shared.planned_life.nanos > 0 ? env.loop.now() + shared.planned_life : kNever;
  while (!driver.failure() && env.loop.now() < end) co_await changes.wait_until(end);
  if (driver.failure()) {
    std::string why = driver.failure()->to_string();
    if (driver.failure()->code() == Errc::corrupt)
      shared.oracle.report("halted", fmt::format("K7: node {}: {}", member.id, why));
    co_return co_await die(env, node);
  }
  raft::Listener& listener = **listening;
  co_await stop(replica, tasks, driver, listener);
  if (driver.failure()) co_await die(env, node);
}

}  // namespace

Task<void> run_replica(host::Env& env, Shared& shared, size_t index, sim::Node& node) {
  Member& member = shared.members[index];
  host::LogConfig levels(host::LogLevel::debug);
  Narration sink(node.world(), member.id);
  host::LogTarget target{levels, sink, env.clock, host::LogFormat::text};
  host::Logger logger(target, "raft");
  log::LogDirConfig config;
  Result<std::unique_ptr<log::LogDir>> dir = co_await log::LogDir::open(env, "data", config);
  if (!dir) co_return co_await die(env, node);
  log::LogDir& directory = **dir;
  co_await live(env, shared, member, directory, logger, node);
  (void)co_await directory.close(0);
  co_await die(env, node);
}

}  // namespace moldau::raftsim
