#include "raft/test_quorum.h"

#include "base/check.h"
#include "raft/describe.h"
#include "raft/test_wire.h"
#include "raft/wire_form.h"
#include "wire/record_batch_builder.h"

namespace moldau::raft::test {
namespace {

constexpr int64_t kWallStart = 1'700'000'000'000;

ReplicaKey key_of(BrokerId id, uint8_t disk) {
  ReplicaKey key{id, {}};
  key.directory.bytes[0] = static_cast<uint8_t>(id.value);
  key.directory.bytes[15] = disk;
  return key;
}

Voter voter_of(const ReplicaKey& key) {
  return {key, {{"CONTROLLER", fmt::format("host{}", key.id), 9093}}, 0, 1};
}

Config config_of(const TestNode& node) {
  Config config;
  config.local = node.key;
  config.cluster_id = "quorum";
  config.endpoints = {{"CONTROLLER", fmt::format("host{}", node.key.id), 9093}};
  config.election_timeout = milliseconds(100);
  config.fetch_timeout = milliseconds(200);
  config.request_timeout = milliseconds(200);
  config.retry_backoff = milliseconds(2);
  config.election_backoff_max = milliseconds(100);
  config.fetch_max_wait = milliseconds(50);
  config.fetch_snapshot_max_bytes = 40;
  return config;
}

std::string snapshot_content(OffsetAndEpoch id, uint64_t chain) {
  std::string content = fmt::format("snapshot {} {}", id, chain);
  content.resize(40 + static_cast<size_t>(id.offset.value) % 60, '.');
  return content;
}

}  // namespace

Quorum::Quorum(const QuorumOptions& options)
    : options_(options), random_(Random(options.seed).fork("quorum")) {
  std::vector<Voter> voters;
  for (int id = 1; id <= options_.voters; id++) {
    ReplicaKey key = nodes_[BrokerId(id)].key = key_of(BrokerId(id), disks_);
    voters.push_back(options_.dynamic ? voter_of(key) : Voter{{BrokerId(id), {}}, {}, 0, 1});
  }
  configured_ = VoterHistory(VoterSet(voters), options_.dynamic ? 1 : 0);
  for (int id = 100; id < 100 + options_.observers; id++)
    nodes_[BrokerId(id)].key = key_of(BrokerId(id), disks_);
  // Each seed has its own weather.
  if (options_.faults) {
    if (random_.one_in(2)) loss_ = static_cast<double>(random_.below(30)) / 100;
    if (random_.one_in(2)) doubled_ = 0.1;
    if (random_.one_in(2)) late_ = 0.05;
    crash_weight_ = random_.below(4);
    cut_weight_ = random_.below(4);
    pause_weight_ = random_.below(3);
    slow_weight_ = random_.below(3);
  }
  if (random_.one_in(4) || options_.single_batches) fetch_max_bytes_ = 1;
  if (options_.single_batches) crash_weight_ = 5, cut_weight_ = 3;
  client_millis_ = 3 + random_.below(30);
}

Now Quorum::now() const { return {now_, WallTime{kWallStart + now_.nanos / 1'000'000}}; }

void Quorum::at(Duration later, std::function<void()> what) {
  queue_.emplace(std::pair(now_ + later, ++sequence_), std::move(what));
}

// What happens to a process, unless it dies before.
void Quorum::at_node(TestNode& node, Duration later, std::function<void()> what) {
  at(later, [this, &node, what = std::move(what), incarnation = node.incarnation] {
    if (node.incarnation != incarnation) return;
    if (node.paused_until > now_) return at_node(node, node.paused_until - now_, what);
    what();
  });
}

void Quorum::run_until(Instant end) {
  while (!queue_.empty() && queue_.begin()->first.first <= end && oracle_.finding().empty()) {
    auto event = queue_.extract(queue_.begin());
    now_ = event.key().first;
    events_++;
    event.mapped()();
  }
  now_ = std::max(now_, end);
}

Duration Quorum::latency() {
  if (!healed_ && random_.chance(late_)) return milliseconds(random_.between(20, 400));
  return microseconds(random_.between(100, 5'000));
}

Duration Quorum::disk_delay(TestNode& node) {
  Duration delay = microseconds(random_.between(50, 2'000));
  return slow_.contains(node.key.id) ? delay * 100 : delay;
}

bool Quorum::delivered(BrokerId from, BrokerId to) {
  return healed_ || (!cut_.contains({from, to}) && !random_.chance(loss_));
}

// --- Nodes ---

void Quorum::boot(TestNode& node) {
  node.incarnation++;
  Config config = config_of(node);
  VoterHistory configured = configured_;
  // A controller that joins knows where to ask, not who votes.
  bool joins = node.key.id.value >= 100 || node.key.directory.bytes[15] != 1;
  if (options_.dynamic && joins) {
    configured = VoterHistory();
    for (int id = 1; id <= options_.voters; id++) config.bootstrap.push_back({"", "", 0});
    for (int id = 0; id < options_.observers; id++) config.bootstrap.push_back({"", "", 0});
  }
  Recovered recovered = node.disk.recover(configured);
  config.fetch_max_bytes = healed_ ? 4'000 : fetch_max_bytes_;
  node.core = std::make_unique<Core>(std::move(config), std::move(recovered), random_.next());
  node.seen = Offset();
  node.seen = std::min(node.core->high_watermark(), oracle_.committed());
  node.epoch_seen = node.core->state().epoch;
  node.voters_seen = node.core->voters().changed_at();
  node.syncing = false;
  node.wake = kNever;
  Effects effects = node.core->start(now());
  execute(node, std::move(effects));
}

void Quorum::lose_power(TestNode& node) {
  node.core.reset();
  node.incarnation++;
  if (node.persisting && random_.one_in(2)) node.disk.save(node.persists.front());
  node.persists.clear();
  node.persisting = false;
  node.disk.lose_power(random_);
}

void Quorum::execute(TestNode& node, Effects effects) {
  for (LogWrite& w : effects.writes) write(node, std::move(w));
  for (const SnapshotStep& step : effects.snapshot) snapshot_step(node, step);
  if (effects.persist) {
    // One that was not begun is replaced.
    if (node.persists.size() > 1) node.persists.pop_back();
    node.persists.push_back(*effects.persist);
    if (!node.persisting) persist(node);
  }
  for (const Send& send : effects.sends) post(node, send);
  for (const Answer& answer : effects.answers) reply(node, answer);
  for (const std::string& text : effects.complaints)
    oracle_.fail(fmt::format("node {} complains: {}", node.key.id, text));
  if (effects.halt) oracle_.fail(fmt::format("K7: node {} halts: {}", node.key.id, *effects.halt));
  oracle_.on_step(node, effects.role_changed);
  set_wake(node, effects.wake_at);
}

void Quorum::set_wake(TestNode& node, Instant wake) {
  if (wake == node.wake || wake == kNever) return;
  node.wake = wake;
  at_node(node, wake - now_, [this, &node, wake] {
    if (node.wake != wake) return;
    node.wake = kNever;
    execute(node, node.core->tick(now()));
  });
}

void Quorum::write(TestNode& node, LogWrite w) {
  oracle_.on_write(node, w);
  node.disk.write(std::move(w));
  if (!node.syncing) sync(node);
}

// A group commit: one sync at a time, for all that was written before it began.
void Quorum::sync(TestNode& node) {
  node.syncing = true;
  at_node(node, disk_delay(node), [this, &node, covered = node.disk.pending()] {
    uint64_t number = 0;
    for (size_t n = std::min(covered, node.disk.pending()); n > 0; n--)
      number = node.disk.sync_one();
    node.syncing = false;
    if (node.disk.pending() > 0) sync(node);
    if (number > 0) execute(node, node.core->log_durable(now(), number));
  });
}

void Quorum::persist(TestNode& node) {
  node.persisting = true;
  at_node(node, disk_delay(node), [this, &node] {
    Persist done = node.persists.front();
    node.persists.pop_front();
    node.disk.save(done);
    node.persisting = false;
    if (!node.persists.empty()) persist(node);
    execute(node, node.core->persisted(now(), done.number));
  });
}

// --- Messages ---

void Quorum::post(TestNode& node, const Send& send) {
  oracle_.on_send(node, send);
  BrokerId target = send.to;
  if (target.value <= -2) target.value = -1 - target.value;
  if (send.to.value <= -2 && target.value > options_.voters) target.value += 99 - options_.voters;
  CHECK(nodes_.contains(target), "a request to node {}", target);
  int16_t version = draw_version(send.request, options_.dynamic, random_);
  Asked asked{node.key.id, send.to, node.incarnation, send.id, over_wire(send.request, version),
              version};
  int copies = !healed_ && random_.chance(doubled_) ? 2 : 1;
  while (copies-- > 0) {
    if (!delivered(node.key.id, target)) continue;
    Duration later = latency();
    at(later, [this, asked, target] { arrive(target, asked); });
  }
}

void Quorum::arrive(BrokerId to, const Asked& asked) {
  TestNode& node = nodes_[to];
  if (node.core && node.paused_until > now_)
    return at_node(node, node.paused_until - now_, [this, to, asked] { arrive(to, asked); });
  if (node.core) {
    asked_[++tokens_] = asked;
    return execute(node, node.core->request(now(), tokens_, asked.request));
  }
  // Nobody listens: that is known at once, sometimes.
  TestNode& from = nodes_[asked.from];
  if (random_.one_in(2) || !from.core || from.incarnation != asked.incarnation) return;
  at_node(from, Duration(), [this, &from, to = asked.to, id = asked.id] {
    execute(from, from.core->send_failed(now(), to, id));
  });
}

void Quorum::reply(TestNode& node, const Answer& answer) {
  auto found = asked_.find(answer.token);
  CHECK(found != asked_.end(), "an answer to nothing");
  Asked asked = std::move(found->second);
  asked_.erase(found);
  oracle_.on_answer(node, asked.request, answer.response);
  Response response = answer.response;
  if (auto* fetch = std::get_if<FetchResponse>(&response); fetch && fetch->read_at)
    fetch->records = node.disk.log.read(*fetch->read_at, fetch->max_bytes);
  if (auto* piece = std::get_if<FetchSnapshotResponse>(&response); piece && piece->max_bytes > 0) {
    for (const StoredSnapshot& s : node.disk.snapshots)
      if (s.snapshot.id == piece->snapshot) {
        std::string part = s.content.substr(static_cast<size_t>(piece->position),
                                            static_cast<size_t>(piece->max_bytes));
        piece->bytes.assign(part.begin(), part.end());
      }
  }
  if (!delivered(node.key.id, asked.from)) return;
  response = over_wire(response, asked.version);
  Duration later = latency();
  if (asked.from.value < 0) return;  // the operator
  TestNode& to = nodes_[asked.from];
  if (!to.core || to.incarnation != asked.incarnation) return;
  at_node(to, later, [this, &to, asked, response] {
    execute(to, to.core->response(now(), asked.to, asked.id, response));
  });
}

// --- Snapshots ---

void Quorum::snapshot_step(TestNode& node, const SnapshotStep& step) {
  if (step.kind == SnapshotStep::begin) node.receiving.clear();
  if (step.kind == SnapshotStep::bytes) {
    CHECK(static_cast<size_t>(step.position) == node.receiving.size(), "a gap at {}",
          step.position);
    node.receiving.append(step.received.begin(), step.received.end());
  }
  if (step.kind != SnapshotStep::finish) return;
  at_node(node, disk_delay(node) * 5, [this, &node, id = step.id] { load_snapshot(node, id); });
}

void Quorum::load_snapshot(TestNode& node, OffsetAndEpoch id) {
  if (node.receiving != snapshot_content(id, oracle_.chain(id.offset)))
    oracle_.fail(fmt::format("K10: node {} received another snapshot than was written: {}",
                             node.key.id, node.receiving));
  StoredSnapshot stored{{id, static_cast<int64_t>(node.receiving.size())},
                        node.receiving,
                        snapshot_voters_[id.offset]};
  node.disk.reset_to(stored);
  execute(node, node.core->snapshot_loaded(now(), stored.snapshot, stored.voters));
}

void Quorum::take_snapshot(TestNode& node) {
  Offset end = node.core->high_watermark();
  const StoredLog& log = node.disk.log;
  if (end <= log.start.offset || node.disk.pending() > 0 || node.core->log().end() < end) return;
  const StoredBatch* last = nullptr;
  for (const StoredBatch& b : log.batches)
    if (b.next <= end) last = &b;
  if (!last || last->next <= log.start.offset) return;
  OffsetAndEpoch id{last->next, last->epoch};
  if (node.core->log().find_snapshot(id)) return;
  std::string content = snapshot_content(id, oracle_.chain(id.offset));
  const VoterHistory::Entry& voters = node.core->voters().at(id.offset);
  StoredSnapshot stored{{id, static_cast<int64_t>(content.size())},
                        content,
                        VoterHistory(voters.voters, voters.kraft_version)};
  node.disk.snapshots.push_back(stored);
  snapshot_voters_[id.offset] = stored.voters;
  execute(node, node.core->snapshot_written(now(), stored.snapshot));
  if (!random_.one_in(2) || !node.core->log_trimmed(id.offset)) return;
  node.disk.trim(id);
  while (node.disk.snapshots.size() > 2) {
    node.core->snapshot_removed(node.disk.snapshots.front().snapshot.id);
    node.disk.snapshots.erase(node.disk.snapshots.begin());
  }
}

// --- What happens to them ---

TestNode* Quorum::leader() {
  std::vector<TestNode*> leaders;
  for (auto& [id, node] : nodes_)
    if (node.core && node.core->role() == RoleName::leader) leaders.push_back(&node);
  return leaders.empty() ? nullptr : leaders[random_.below(leaders.size())];
}

TestNode& Quorum::any_node() {
  auto it = nodes_.begin();
  std::advance(it, static_cast<ptrdiff_t>(random_.below(nodes_.size())));
  return it->second;
}

void Quorum::client() {
  if (TestNode* node = leader(); node && node->paused_until <= now_) {
    wire::RecordBatchBuilder builder;
    std::string value(random_.below(80), 'v');
    value += fmt::format("{}", events_);
    Bytes bytes(reinterpret_cast<const uint8_t*>(value.data()), value.size());
    for (uint64_t n = 1 + random_.below(3); n > 0; n--)
      builder.add(now().wall.millis, std::nullopt, bytes);
    Offset base;
    Effects effects = node->core->append(now(), builder.finish(), &base);
    execute(*node, std::move(effects));
  }
  if (healed_) return;
  Duration pause = milliseconds(static_cast<int64_t>(1 + random_.below(2 * client_millis_)));
  at(pause, [this] { client(); });
}

void Quorum::fault() {
  if (healed_) return;
  TestNode& node = any_node();
  if (node.core && random_.below(8) < crash_weight_) {
    lose_power(node);
    Duration down = milliseconds(random_.between(1, 400));
    at(down, [this, &node] {
      if (!node.core) boot(node);
    });
  }
  if (random_.below(8) < cut_weight_) {
    TestNode& other = any_node();
    Link there{node.key.id, other.key.id}, back{other.key.id, node.key.id};
    cut_.insert(there);
    if (random_.one_in(2)) cut_.insert(back);
  }
  if (random_.one_in(4)) cut_.clear();
  if (random_.below(8) < pause_weight_)
    any_node().paused_until = now_ + milliseconds(random_.between(1, 700));
  if (random_.below(8) < slow_weight_) slow_.insert(node.key.id);
  if (random_.one_in(3)) slow_.clear();
  TestNode& other = any_node();
  if (other.core && options_.snapshots && random_.one_in(3)) take_snapshot(other);
  if (TestNode* l = leader(); l && random_.one_in(12)) execute(*l, l->core->resign(now()));
  if (options_.dynamic && random_.one_in(2)) change_voters();
  if (options_.dynamic && random_.one_in(20)) replace_disk(any_node());
  Duration pause = milliseconds(random_.between(1, 100));
  at(pause, [this] { fault(); });
}

// Mostly one more or one less; on some days everybody wants something.
void Quorum::change_voters() {
  TestNode* node = leader();
  if (!node) return;
  const VoterSet& voters = node->core->voters().voters();
  TestNode& chosen = any_node();
  Request request = RemoveVoterRequest{"quorum", chosen.key};
  if (!voters.find(chosen.key.id))
    request = AddVoterRequest{"quorum", milliseconds(300), voter_of(chosen.key), true};
  else if (voters.size() <= 2)
    request = UpdateVoterRequest{"quorum", node->core->state().epoch, voter_of(chosen.key)};
  asked_[++tokens_] = {BrokerId(-1), BrokerId(-1), 0, 0, over_wire(request, 0)};
  execute(*node, node->core->request(now(), tokens_, request));
}

// The same node with an empty disk is another replica (K14). Only of one that no log names a voter,
// and that nobody wants to make one: a voter's disk is a copy that was counted.
void Quorum::replace_disk(TestNode& node) {
  for (const auto& [token, asked] : asked_) {
    auto* add = std::get_if<AddVoterRequest>(&asked.request);
    if (add && add->voter.key == node.key) return;
  }
  for (auto& [id, other] : nodes_) {
    if (!other.core || other.core->voters().voters().find(node.key.id)) return;
    if (other.core->voters().changed_at() >= std::optional(other.core->high_watermark())) return;
  }
  lose_power(node);
  node.disk = TestDisk();
  node.key = key_of(node.key.id, ++disks_);
  boot(node);
}

void Quorum::heal() {
  healed_ = true;
  cut_.clear();
  slow_.clear();
  for (auto& [id, node] : nodes_) {
    node.paused_until = now_;
    if (!node.core) boot(node);
  }
}

std::string Quorum::check_alive() {
  TestNode* node = leader();
  if (!node) return "liveness: no leader";
  client();
  Offset wanted = node->core->log().end();
  std::string behind;
  for (int second = 0; second < 30; second++) {
    run_until(now_ + seconds(1));
    behind.clear();
    for (auto& [id, n] : nodes_)
      if (n.core->high_watermark() < wanted)
        behind = fmt::format("liveness: node {} ({}) knows {} as committed, the leader had {}", id,
                             role_name(n.core->role()), n.core->high_watermark(), wanted);
    if (behind.empty() || !oracle_.finding().empty()) break;
  }
  if (behind.empty()) behind = check_description(wanted);
  return behind.empty() ? check_quiet() : behind;
}

// K8: nobody disturbs a leader that works, not those either who were removed or never were voters.
std::string Quorum::check_quiet() {
  TestNode* before = leader();
  LeaderEpoch epoch = before->core->state().epoch;
  run_until(now_ + seconds(2));
  TestNode* after = leader();
  bool same = after && after->core->state().epoch == epoch;
  return same ? "" : fmt::format("K8: the leader of epoch {} is gone without a reason", epoch);
}

// What the operator is told once all is well.
std::string Quorum::check_description(Offset wanted) {
  TestNode* node = leader();
  if (!node) return "liveness: the leader is gone without a reason";
  wire::DescribeQuorumRequest::PartitionData partition;
  wire::DescribeQuorumRequest::TopicData topic;
  topic.topic_name = kMetadataTopic;
  topic.partitions = {&partition, 1};
  wire::DescribeQuorumRequest request;
  request.topics = {&topic, 1};
  Arena arena;
  auto out = describe_quorum(*node->core, now(), request, 2, arena);
  const auto& told = out.topics[0].partitions[0];
  size_t voters = node->core->voters().voters().size();
  bool good = told.error_code == 0 && told.leader_id == node->key.id.value &&
              told.high_watermark >= wanted.value && told.current_voters.size() == voters &&
              told.current_voters.size() + told.observers.size() >= nodes_.size();
  return good ? ""
              : fmt::format("DescribeQuorum: error {}, {} voters of {}, {} observers of {} nodes",
                            told.error_code, told.current_voters.size(), voters,
                            told.observers.size(), nodes_.size());
}

std::string Quorum::run() {
  for (auto& [id, node] : nodes_) boot(node);
  at(milliseconds(1), [this] { client(); });
  if (options_.faults) at(milliseconds(50), [this] { fault(); });
  run_until(now_ + options_.chaos);
  if (oracle_.finding().empty()) {
    heal();
    run_until(now_ + milliseconds(2'000));
  }
  std::string found = oracle_.finding();
  if (found.empty()) found = check_alive();
  if (found.empty()) found = oracle_.finding();
  if (found.empty()) return {};
  return fmt::format("seed {} of {} voters and {} observers at {} ms: {}", options_.seed,
                     options_.voters, options_.observers, (now_.nanos / 1'000'000) - 1'000'000,
                     found);
}

}  // namespace moldau::raft::test
