#include "toy_log.h"

#include <fmt/format.h>

#include <map>

#include "base/check.h"
#include "sim/world.h"
#include "toy_server.h"

namespace moldau::toy {
namespace {

struct Id {
  uint32_t client = 0;
  uint32_t sequence = 0;
  bool operator==(const Id&) const = default;
};

// The payload follows from the id, so that any change to it shows.
Buffer payload_of(Id id) {
  Random random(uint64_t{id.client} << 32 | id.sequence);
  size_t size = random.one_in(8) ? random.below(8000) : random.below(200);
  Buffer out;
  put(out, id.client);
  put(out, id.sequence);
  for (size_t i = 0; i < size; i++) out.push_back(static_cast<uint8_t>(random.next()));
  return out;
}

// What clients have seen. Everything in it is a promise that the server has made.
class Oracle {
 public:
  explicit Oracle(sim::Findings& findings) : findings_(findings) {}

  void acked(Id id, int64_t offset) {
    agree(id, offset, "acknowledged");
    int64_t& last = last_offset_.try_emplace(id.client, -1).first->second;
    if (offset <= last)
      findings_.add("order", fmt::format("client {}: offset {} after {}", id.client, offset, last));
    last = std::max(last, offset);
    end_ = std::max(end_, offset + 1);
  }

  void fetched(int64_t offset, Bytes payload) {
    Id id;
    if (payload.size() >= 8)
      id = {load_be<uint32_t>(payload.data()), load_be<uint32_t>(payload.data() + 4)};
    if (!equal(payload, payload_of(id))) {
      findings_.add("payload_changed",
                    fmt::format("offset {}: nobody sent these {} bytes", offset, payload.size()));
      return;
    }
    agree(id, offset, "served");
  }

  // One past the last offset that has been acknowledged.
  int64_t end() const { return end_; }
  sim::Findings& findings() { return findings_; }

 private:
  void agree(Id id, int64_t offset, const char* how) {
    auto [known, added] = at_.try_emplace(offset, id);
    if (known->second == id) return;
    findings_.add("offset_rewritten",
                  fmt::format("offset {} is {} as {}.{}, but was {}.{}", offset, how, id.client,
                              id.sequence, known->second.client, known->second.sequence));
  }

  sim::Findings& findings_;
  std::map<int64_t, Id> at_;                 // by offset
  std::map<uint32_t, int64_t> last_offset_;  // by client
  int64_t end_ = 0;
};

// A connection that is made anew when it fails; each call has a deadline.
class Client : host::Timer {
 public:
  Client(host::Env& env, host::Address server) : env_(env), server_(server) {
    fire = [](host::Timer& timer) {
      auto& client = static_cast<Client&>(timer);
      if (client.stream_) client.stream_->close();
    };
  }
  ~Client() { env_.loop.disarm(*this); }

  host::Task<Result<Buffer>> call(Buffer request) {
    Result<Buffer> reply = co_await attempt(std::move(request));
    env_.loop.disarm(*this);
    if (!reply) {
      stream_.reset();
      uint64_t wait = env_.entropy.next() % 200;
      co_await env_.loop.sleep(milliseconds(1 + static_cast<int64_t>(wait)));
    }
    co_return std::move(reply);
  }

 private:
  host::Task<Result<Buffer>> attempt(Buffer request) {
    if (!stream_) {
      CO_TRY(stream, env_.network.connect(server_));
      stream_ = std::move(stream);
    }
    at = env_.loop.now() + seconds(5);
    env_.loop.arm(*this);
    CO_TRY_(write_frame(*stream_, std::move(request)));
    CO_TRY(reply, read_frame(*stream_));
    co_return std::move(reply);
  }

  host::Env& env_;
  const host::Address server_;
  std::unique_ptr<host::Stream> stream_;
};

struct Shared {
  Oracle oracle;
  host::Address server;
  int64_t operations = 0;
  int64_t writers_done = 0;
  bool final_pass = false;  // read everything once more, from the start
  int64_t final_position = 0;
  explicit Shared(sim::Findings& findings) : oracle(findings) {}
};

// One record after the other; what gets no answer is sent again and may then be there twice.
host::Task<void> write_records(host::Env& env, Shared& shared, uint32_t number) {
  Client client(env, shared.server);
  for (int64_t i = 0; i < shared.operations;) {
    Id id{number, static_cast<uint32_t>(i)};
    Buffer request{kAppend};
    put_bytes(request, payload_of(id));
    Result<Buffer> reply = co_await client.call(std::move(request));
    if (!reply || reply->size() != 8) continue;
    shared.oracle.acked(id, load_be<int64_t>(reply->data()));
    i++;
    uint64_t pause = env.entropy.next() % 256;
    if (pause < 64) co_await env.loop.sleep(milliseconds(static_cast<int64_t>(pause)));
  }
  shared.writers_done++;
}

void judge_fetch(Oracle& oracle, int64_t offset, int64_t promised, Bytes reply) {
  int64_t end = load_be<int64_t>(reply.data());
  Bytes record = reply.subspan(8);
  if (end < promised)
    oracle.findings().add(
        "acked_lost",
        fmt::format("the log ends at {}, offset {} had been acknowledged", end, promised - 1));
  if (record.empty() && end > offset)
    oracle.findings().add("missed_wakeup",
                          fmt::format("nothing at {}, but the log ends at {}", offset, end));
  if (!record.empty()) oracle.fetched(offset, record);
}

host::Task<void> read_records(host::Env& env, Shared& shared) {
  Client client(env, shared.server);
  int64_t offset = 0;
  bool last_pass = false;
  for (;;) {
    if (shared.final_pass && !std::exchange(last_pass, true)) offset = 0;
    Buffer request{kFetch};
    put(request, offset);
    int64_t promised = shared.oracle.end();
    Result<Buffer> reply = co_await client.call(std::move(request));
    if (!reply || reply->size() < 8) continue;
    judge_fetch(shared.oracle, offset, promised, *reply);
    if (reply->size() > 8) offset++;
    if (last_pass) shared.final_position = offset;
    uint64_t again = env.entropy.next() % 64;
    if (!last_pass && again == 0) offset = 0;
  }
}

class ToyLog final : public sim::Scenario {
 public:
  void options(sim::WorldOptions& options, const Random& root) override {
    Random random = root.fork("toy");
    options.disk.garbage = random.one_in(2);
    options.disk.ext4_like = random.one_in(3);
    options.disk.sector = random.one_in(2) ? 512 : 4096;
    options.network.window = random.one_in(4) ? 100 : 64 * 1024;
    options.network.short_io = random.one_in(4) ? 2 : 8;
  }

  void setup(sim::World& world, sim::Knobs& knobs, sim::Findings& findings) override {
    Random random = world.stream("toy.knobs");
    auto clients = static_cast<int64_t>(1 + random.below(6));
    auto operations = static_cast<int64_t>(10 + random.below(100));
    if (knobs.clients == 0) knobs.clients = clients;
    if (knobs.operations == 0) knobs.operations = operations;
    knobs_ = knobs;
    shared_.emplace(findings);
    shared_->operations = knobs.operations;
    sim::Node& server = world.add_node("server");
    server.set_program(
        [&server](host::Env& env) { return serve(env, [&server] { server.halt(); }); });
    shared_->server = {server.ip(), kPort};
    server.start();
    for (int64_t i = 0; i < knobs.clients; i++) {
      auto number = static_cast<uint32_t>(i);
      add_client(world, fmt::format("writer{}", i),
                 [this, number](host::Env& env) { return write_records(env, *shared_, number); });
    }
    add_client(world, "reader", [this](host::Env& env) { return read_records(env, *shared_); });
  }

  sim::FaultSpace fault_space() const override {
    return {.servers = 1,
            .nodes = static_cast<uint32_t>(knobs_.clients) + 2,
            .from = milliseconds(20),
            .until = seconds(10)};
  }

  // A supervisor: what has ended is started again.
  void check(sim::World& world, sim::Findings&) override {
    sim::Node& server = world.node(0);
    if (server.halted()) server.start();
  }

  bool recovered(sim::World&) override {
    if (shared_->writers_done < knobs_.clients) return false;
    shared_->final_pass = true;
    return shared_->final_position >= shared_->oracle.end();
  }
  std::string what_hangs(sim::World& world) override {
    std::string out =
        fmt::format("{} of {} writers done, read to {} of {}\n", shared_->writers_done,
                    knobs_.clients, shared_->final_position, shared_->oracle.end());
    for (size_t i = 0; i < world.size(); i++)
      out += fmt::format("{}:\n{}", world.node(i).name(), world.node(i).env().loop.dump());
    return out;
  }

 private:
  static void add_client(sim::World& world, std::string name, sim::Node::Program program) {
    world.add_node(std::move(name), std::move(program)).start();
  }

  std::optional<Shared> shared_;
  sim::Knobs knobs_;
};

}  // namespace

sim::ScenarioEntry toy_log() {
  return {"toy_log",
          "a small log server with group commit, its writers and a reader",
          [] { return std::make_unique<ToyLog>(); },
          {Bug::ack_before_sync, Bug::recovery_keeps_torn, Bug::recovery_drops_whole,
           Bug::poll_misses_wakeup, Bug::offset_twice, Bug::failed_sync_believed,
           Bug::sync_reads_end_late}};
}

}  // namespace moldau::toy
