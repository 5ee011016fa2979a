#include "net/client_connection.h"

#include <gtest/gtest.h>

#include "host/buffer_pool.h"
#include "net/test_env.h"
#include "net/test_stream.h"

namespace moldau::net {
namespace {

// Gives one stream, that the test has made.
struct OneStream final : host::Network {
  std::unique_ptr<host::Stream> stream;
  Result<std::unique_ptr<host::Listener>> listen(const host::Address&) override {
    return fail(Errc::unsupported);
  }
  bool start(host::ConnectOp& op) override {
    if (!stream) return op.fail(Errc::refused, "nobody is there");
    op.stream = std::move(stream);
    return op.succeed();
  }
  bool start(host::ResolveOp& op) override { return op.fail(Errc::unsupported, ""); }
};

struct ClientConnectionTest : testing::Test {
  host::TestLoop loop;
  TestOutside outside;
  OneStream network;
  host::Env env{loop, outside.clock, network, outside.disk, outside.entropy};
  host::BufferPool pool{1 << 20};
  TestStream* stream = nullptr;
  std::unique_ptr<ClientConnection> connection;
  std::vector<std::string> received;
  std::optional<Error> error;
  host::Scope scope{loop, "test"};

  host::Task<void> call(std::string request) {
    host::Address to;
    auto opened = co_await ClientConnection::open(env, pool, to);
    if (!opened) {
      error = opened.error();
      co_return;
    }
    connection = std::move(*opened);
    Chain chain;
    std::string bytes = framed(request);
    chain.append(as_bytes(bytes));
    Result<void> sent = co_await connection->send(std::move(chain));
    EXPECT_TRUE(sent);
    for (;;) {
      Result<Frame> frame = co_await connection->receive();
      if (!frame) {
        error = frame.error();
        co_return;
      }
      received.emplace_back(as_text(frame->bytes));
    }
  }
  void begin() {
    auto made = std::make_unique<TestStream>(loop);
    stream = made.get();
    network.stream = std::move(made);
    scope.spawn(call("question"));
    loop.run();
  }
};

TEST_F(ClientConnectionTest, SendsAFrameAndReceivesItsAnswer) {
  begin();
  EXPECT_EQ(stream->sent, framed("question"));
  stream->arrive(framed("answer"));
  loop.run();
  EXPECT_EQ(received, std::vector<std::string>{"answer"});
}

TEST_F(ClientConnectionTest, SaysThatTheServerEndedTheConnection) {
  begin();
  stream->peer_finishes();
  loop.run();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Errc::closed);
}

TEST_F(ClientConnectionTest, CloseEndsAReceive) {
  begin();
  connection->close();
  loop.run();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Errc::cancelled);
}

TEST_F(ClientConnectionTest, AConnectThatFailsIsAnError) {
  scope.spawn(call("question"));
  loop.run();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Errc::refused);
}

}  // namespace
}  // namespace moldau::net
