// A broker in the simulated world, and clients that the test moves by hand: BrokerWorld runs the
// server on one node, Client is a connection from another. Calls of the test let virtual time pass
// until they have an answer.
#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "broker/config.h"
#include "broker/server.h"
#include "host/buffer_pool.h"
#include "host/event.h"
#include "host/logging.h"
#include "net/client_connection.h"
#include "sim/disk.h"
#include "sim/node.h"
#include "sim/world.h"
#include "talk.h"

namespace moldau::broker {

namespace api {
constexpr int16_t kProduce = 0, kFetch = 1, kListOffsets = 2, kMetadata = 3, kApiVersions = 18,
                  kCreateTopics = 19, kDeleteTopics = 20, kDeleteRecords = 21, kInitProducerId = 22,
                  kOffsetCommit = 8, kOffsetFetch = 9, kFindCoordinator = 10, kJoinGroup = 11,
                  kHeartbeat = 12, kLeaveGroup = 13, kSyncGroup = 14, kListGroups = 16,
                  kDeleteGroups = 42;
}

class BrokerWorld {
 public:
  explicit BrokerWorld(uint64_t seed = 1);
  ~BrokerWorld();

  // Until the server is ready, or has said why not (start_error).
  void start();
  void begin_start();  // without waiting
  // As SIGTERM does. False: it has not ended within the time.
  bool stop(Duration within = seconds(5));
  // kill -9 or power loss.
  void crash(sim::Crash kind = sim::Crash::process);
  void restart() {
    ASSERT_TRUE(stop());
    start();
  }
  bool run_until(const std::function<bool()>& done, Duration within = seconds(60)) {
    return world.run_until(done, world.now() + within);
  }
  void run_for(Duration time) { world.run_until(world.now() + time); }

  sim::World world;
  sim::Node& node;  // the broker's
  sim::Node& clients;
  BrokerConfig config;
  host::LogConfig levels;
  host::MemorySink log;
  Server* server = nullptr;  // while it runs
  std::optional<Error> start_error;
  std::optional<Result<void>> stop_result;

 private:
  host::Task<void> run_broker(host::Env& env);
  host::Event* wake_ = nullptr;
  bool stopping_ = false;
};

// One connection. Replies come in the order of the requests; each is without its header.
class Client {
 public:
  explicit Client(BrokerWorld& world);
  ~Client();

  // Header (by the version: with tags if flexible), then body.
  void send(int16_t key, int16_t version, const std::string& body, bool flexible = false);
  void send_raw(const std::string& bytes);
  // Without waiting until the server has taken it; no other request meanwhile.
  void send_later(int16_t key, int16_t version, const std::string& body);
  std::optional<In> reply(Duration within = seconds(60));
  In call(int16_t key, int16_t version, const std::string& body, bool flexible = false);
  bool has_reply() const { return !state_->frames.empty(); }
  bool closed() const { return state_->closed; }
  bool wait_closed(Duration within = seconds(5));
  void close();

  // The usual requests.
  Produced produce(std::string_view topic, const Batch& batch = {}, int32_t partition = 0,
                   int16_t acks = -1);
  FetchReply fetch(const FetchSpec& spec) {
    return read_fetched(call(api::kFetch, 11, spec.bytes()));
  }
  void create(const std::string& topic, int32_t partitions = 1);
  TopicError remove(const std::string& topic);
  TopicInfo metadata(const std::string& topic, bool may_create = false);
  FoundOffset offset(std::string_view topic, int64_t timestamp, int32_t partition = 0);

 private:
  // Shared with the tasks on the node of the clients.
  struct State {
    host::BufferPool pool{0};
    std::unique_ptr<net::ClientConnection> connection;
    std::deque<std::string> frames;
    std::string unsent;                // behind what is being sent
    std::map<int32_t, bool> flexible;  // of the requests that have no reply yet
    int sending = 0;
    bool closed = false;
  };
  static host::Task<void> receive(State& state, host::Env& env, host::Address to);
  static host::Task<void> transmit(State& state, std::string bytes);
  BrokerWorld& world_;
  State* state_;
  std::unique_ptr<State> owned_;
  std::unique_ptr<host::Scope> scope_;
  int32_t correlation_ = 0;
};

}  // namespace moldau::broker
