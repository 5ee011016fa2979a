// What the suites share: the fixture that runs a test in each world, and the two sides of a network
// test.
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "harness.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "host/gate.h"
#include "host/loop.h"
#include "host/network.h"
#include "host/scope.h"
#include "host/wait_set.h"

namespace moldau::host {

std::vector<World> worlds();
inline void PrintTo(const World& world, std::ostream* out) { *out << world.name; }

class Conformance : public testing::TestWithParam<World> {
 protected:
  Env& server() { return harness->server(); }
  Loop& loop() { return server().loop; }
  void run(Task<void> test) { harness->run(std::move(test)); }
  std::unique_ptr<Harness> harness = GetParam().make();
};

// Runs the suite in each world: INSTANTIATE_IN_WORLDS(TimerSuite);
#define INSTANTIATE_IN_WORLDS(Suite)                                   \
  INSTANTIATE_TEST_SUITE_P(Worlds, Suite, testing::ValuesIn(worlds()), \
                           [](const auto& world) { return world.param.name; })

// ASSERT_... end a function by return, which a coroutine does not have.
#define CO_ASSERT(condition)       \
  do {                             \
    if (!(condition)) {            \
      ADD_FAILURE() << #condition; \
      co_return;                   \
    }                              \
  } while (false)
#define CO_ASSERT_OK(result)                                            \
  do {                                                                  \
    if (!(result)) {                                                    \
      ADD_FAILURE() << #result << ": " << (result).error().to_string(); \
      co_return;                                                        \
    }                                                                   \
  } while (false)

// "ok" or the name of the error, for EXPECT_EQ.
template <class T>
std::string outcome(const Result<T>& result) {
  return result ? "ok" : std::string(errc_name(result.error().code()));
}

// Bytes that differ at every place.
std::vector<uint8_t> pattern(size_t size, uint64_t seed = 1);

// Bytes that exist for ever, as parts of a send or write.
struct Text {
  explicit Text(std::string_view text) : part(as_bytes(text)) {}
  Bytes part;
  std::span<const Bytes> parts() const { return {&part, 1}; }
};

// Two tasks that talk: one on the server's loop, one on the client's. They order what they do by
// steps.
class Talk {
 public:
  explicit Talk(Harness& h) : harness(h), server(h.server()), client(h.client()) {}
  using Part = Task<void> (*)(Talk&, Stream&);

  // Connects the two, runs both parts, each with its end of the connection, and closes what they
  // left open.
  void run(Part server_part, Part client_part);
  // Says that `step` has happened (steps only grow); waits for it on the caller's loop.
  void reach(int step);
  Task<void> until(Loop& loop, int step);

  Harness& harness;
  Env& server;
  Env& client;
  Address at;                 // where the server listens
  std::vector<uint8_t> sent;  // for the parts
  std::vector<uint8_t> received;

 private:
  Task<void> serve(Part part);
  Task<void> accept_and_serve(Part part);
  Task<void> visit(Part part);
  Task<void> connect_and_visit(Part part);
  Signal changed_;
  int step_ = -1;
  bool listening_ = false;
  bool server_done_ = false;
  bool client_done_ = false;
};

// Sends all bytes, or adds a failure.
Task<void> send_all(Stream& stream, Bytes bytes);
// Receives until the peer has finished or `most` bytes are there; buffer is the size of each recv.
Task<void> receive(Stream& stream, std::vector<uint8_t>& into, size_t most, size_t buffer);

}  // namespace moldau::host
