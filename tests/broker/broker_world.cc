#include "broker_world.h"

#include "host/scope.h"

namespace moldau::broker {

using host::Task;

namespace {
sim::WorldOptions options(uint64_t seed) {
  sim::WorldOptions out;
  out.seed = seed;
  return out;
}
}  // namespace

BrokerWorld::BrokerWorld(uint64_t seed)
    : world(options(seed)),
      node(world.add_node("broker")),
      clients(world.add_node("clients")),
      levels(host::LogLevel::debug) {
  config.listen = {node.ip(), 9092};
  config.log_dirs = {"/data"};
  config.kraft.controller_endpoints.push_back({"CONTROLLER", "controller", 9093});
  node.set_program([this](host::Env& env) { return run_broker(env); });
  clients.set_program([](host::Env&) -> Task<void> { co_return; });
  clients.start();
}

BrokerWorld::~BrokerWorld() {
  node.crash(sim::Crash::process);
  clients.crash(sim::Crash::process);
}

Task<void> BrokerWorld::run_broker(host::Env& env) {
  host::Event wake(env.loop);
  wake_ = &wake;
  host::LogTarget target{levels, log, env.clock, host::LogFormat::text};
  Result<std::unique_ptr<Server>> started = co_await Server::start(env, config, target);
  if (!started) {
    start_error = started.error();
    co_return;
  }
  server = started->get();
  while (!stopping_) co_await wake.wait();
  stop_result = co_await server->stop();
  server = nullptr;
}

void BrokerWorld::begin_start() {
  stopping_ = false;
  start_error.reset();
  stop_result.reset();
  if (node.up()) node.crash(sim::Crash::process);  // what is left of a process that has ended
  node.start();
}

void BrokerWorld::start() {
  begin_start();
  ASSERT_TRUE(run_until([&] { return server || start_error; })) << "the server never becomes ready";
  if (start_error) ADD_FAILURE() << start_error->to_string();
}

bool BrokerWorld::stop(Duration within) {
  stopping_ = true;
  world.call_at(world.now(), [this] { wake_->notify_all(); });
  return run_until([&] { return stop_result.has_value(); }, within);
}

void BrokerWorld::crash(sim::Crash kind) {
  server = nullptr;
  node.crash(kind);
}

Client::Client(BrokerWorld& world)
    : world_(world),
      owned_(std::make_unique<State>()),
      scope_(std::make_unique<host::Scope>(world.clients.env().loop, "client")) {
  state_ = owned_.get();
  scope_->spawn(receive(*state_, world.clients.env(), world.config.listen));
  world_.run_until([&] { return state_->connection || state_->closed; });
}

Client::~Client() {
  if (state_->connection) close();
  world_.run_until([&] { return scope_->running() == 0; });
  scope_.reset();
  owned_.reset();
}

Task<void> Client::receive(State& state, host::Env& env, host::Address to) {
  auto opened = co_await net::ClientConnection::open(env, state.pool, to);
  if (opened) state.connection = std::move(*opened);
  while (state.connection) {
    Result<net::Frame> frame = co_await state.connection->receive();
    if (!frame) break;
    state.frames.emplace_back(as_text(frame->bytes));
  }
  state.closed = true;
}

Task<void> Client::transmit(State& state, std::string bytes) {
  while (!bytes.empty()) {
    Chain chain;
    chain.append(as_bytes(bytes));
    Result<void> sent = co_await state.connection->send(std::move(chain));
    bytes = sent ? std::exchange(state.unsent, {}) : std::string();
  }
  state.sending--;
}

void Client::send_raw(const std::string& bytes) {
  ASSERT_TRUE(state_->connection);
  state_->sending++;
  scope_->spawn(transmit(*state_, bytes));
  world_.run_until([&] { return state_->sending == 0; });
}

void Client::send_later(int16_t key, int16_t version, const std::string& body) {
  Out header;
  header.i16(key).i16(version).i32(++correlation_).text("test");
  state_->unsent += Out().blob(header.raw(body).bytes()).bytes();
  if (state_->sending > 0) return;
  state_->sending++;
  scope_->spawn(transmit(*state_, std::exchange(state_->unsent, {})));
}

void Client::send(int16_t key, int16_t version, const std::string& body, bool flexible) {
  Out header;
  header.i16(key).i16(version).i32(++correlation_).text("test");
  if (flexible) header.count(0);
  state_->flexible[correlation_] = flexible && key != api::kApiVersions;
  send_raw(Out().blob(header.raw(body).bytes()).bytes());
}

std::optional<In> Client::reply(Duration within) {
  world_.run_until([&] { return has_reply() || closed(); }, within);
  if (!has_reply()) return std::nullopt;
  In in(std::move(state_->frames.front()));
  state_->frames.pop_front();
  // Those before it have none.
  int32_t correlation = in.i32();
  auto request = state_->flexible.find(correlation);
  EXPECT_NE(request, state_->flexible.end()) << "a reply to " << correlation;
  bool flexible = request != state_->flexible.end() && request->second;
  state_->flexible.erase(state_->flexible.begin(), state_->flexible.upper_bound(correlation));
  if (flexible) in.count();
  return in;
}

In Client::call(int16_t key, int16_t version, const std::string& body, bool flexible) {
  send(key, version, body, flexible);
  std::optional<In> in = reply();
  EXPECT_TRUE(in) << "no reply to API " << key;
  return in ? std::move(*in) : In("");
}

bool Client::wait_closed(Duration within) {
  return world_.run_until([&] { return closed(); }, within);
}

void Client::close() {
  state_->connection->close();
  wait_closed();
}

Produced Client::produce(std::string_view topic, const Batch& batch, int32_t partition,
                         int16_t acks) {
  return read_produced(
      call(api::kProduce, 8, produce_request(topic, partition, batch.bytes(), acks)));
}

void Client::create(const std::string& topic, int32_t partitions) {
  auto made = read_created(
      call(api::kCreateTopics, 4, create_request({{.name = topic, .partitions = partitions}})));
  ASSERT_EQ(made.size(), 1u);
  ASSERT_EQ(made[0].error, 0) << made[0].message;
}

TopicError Client::remove(const std::string& topic) {
  auto gone =
      read_deleted(call(api::kDeleteTopics, 6, delete_request({{.name = topic, .id = {}}}), true));
  return gone.size() == 1 ? gone[0] : TopicError{"(none)", -1, ""};
}

TopicInfo Client::metadata(const std::string& topic, bool may_create) {
  ClusterInfo info = read_metadata(call(api::kMetadata, 8, metadata_request({topic}, may_create)));
  return info.topics.size() == 1 ? info.topics[0] : TopicInfo{-1, "(none)", {}};
}

FoundOffset Client::offset(std::string_view topic, int64_t timestamp, int32_t partition) {
  return read_offset(call(api::kListOffsets, 5, offsets_request(topic, partition, timestamp)));
}

}  // namespace moldau::broker
