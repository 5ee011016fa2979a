#include "net/server_connection.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "host/buffer_pool.h"
#include "host/event.h"
#include "net/test_env.h"
#include "net/test_stream.h"

namespace moldau::net {
namespace {

// Answers by what the request begins with: "now" at once, "later" when told, "wait" makes the next
// requests wait, "none" without a reply, "bad" ends the connection, "last" closes it behind the
// reply.
struct Answers final : RequestHandler {
  explicit Answers(host::Loop& loop) : changed(loop) {}
  host::Event changed;
  std::vector<std::string> begun;
  std::vector<std::string> released;

  bool is_released(const std::string& text) const { return std::ranges::count(released, text) > 0; }
  void release(const std::string& text) {
    released.push_back(text);
    changed.notify_all();
  }
  static Outgoing reply(const std::string& text) {
    Outgoing out;
    std::string bytes = framed(text);
    out.chain.append(as_bytes(bytes));
    return out;
  }
  struct Released final : Later {
    Released(Answers& a, std::string t) : answers(a), text(std::move(t)) {}
    Answers& answers;
    const std::string text;
    bool ready() const override { return answers.is_released(text); }
    host::Task<Outgoing> finish() override {
      while (!ready()) co_await answers.changed.wait();
      co_return reply(text);
    }
  };
  host::Task<Result<Outgoing>> handle(Frame frame) override {
    std::string text(as_text(frame.bytes));
    begun.push_back(text);
    Outgoing out;
    if (text.starts_with("bad")) co_return fail(Errc::invalid, "a bad request");
    if (text.starts_with("none")) co_return out;
    if (text.starts_with("later")) {
      out.later = std::make_unique<Released>(*this, text);
      co_return out;
    }
    while (text.starts_with("wait") && !is_released(text)) co_await changed.wait();
    out = reply(text);
    out.close = text.starts_with("last");
    co_return out;
  }
};

struct ServerConnectionTest : testing::Test {
  host::TestLoop loop;
  TestOutside outside;
  host::Env env{loop, outside.clock, outside.network, outside.disk, outside.entropy};
  host::BufferPool pool{1 << 20};
  Answers answers{loop};
  TestStream* stream = nullptr;
  std::unique_ptr<ServerConnection> connection;
  std::optional<Result<void>> end;
  std::unique_ptr<host::Scope> scope = std::make_unique<host::Scope>(loop, "test");

  host::Task<void> serve() { end = co_await connection->serve(answers); }
  void begin(ConnectionLimits limits = {}) {
    auto made = std::make_unique<TestStream>(loop);
    stream = made.get();
    connection = std::make_unique<ServerConnection>(env, pool, std::move(made), limits);
    scope->spawn(serve());
    loop.run();
  }
  ~ServerConnectionTest() override {
    scope.reset();
    connection.reset();
  }
  void arrive(const std::vector<std::string>& requests) {
    std::string all;
    for (const std::string& one : requests) all += framed(one);
    stream->arrive(all);
    loop.run();
  }
  void release(const std::string& text) {
    answers.release(text);
    loop.run();
  }
  std::vector<std::string> replies() const {
    std::vector<std::string> out;
    std::string_view rest = stream->sent;
    while (rest.size() >= 4) {
      size_t length = load_be<uint32_t>(as_bytes(rest).data());
      out.emplace_back(rest.substr(4, length));
      rest.remove_prefix(4 + length);
    }
    return out;
  }
  using Texts = std::vector<std::string>;
};

TEST_F(ServerConnectionTest, AnswersInTheOrderOfTheRequests) {
  begin();
  arrive({"now 1", "later 2", "now 3", "later 4", "now 5"});
  EXPECT_EQ(answers.begun.size(), 5u) << "requests begin while a reply waits";
  EXPECT_EQ(replies(), Texts{"now 1"});
  release("later 4");
  EXPECT_EQ(replies(), Texts{"now 1"});
  release("later 2");
  EXPECT_EQ(replies(), (Texts{"now 1", "later 2", "now 3", "later 4", "now 5"}));
}

TEST_F(ServerConnectionTest, RepliesOfPipelinedRequestsLeaveTogether) {
  begin();
  arrive({"now 1", "now 2", "now 3", "now 4"});
  EXPECT_EQ(replies().size(), 4u);
  EXPECT_EQ(stream->calls.size(), 1u);
}

TEST_F(ServerConnectionTest, ARequestWithoutAReplySendsNothing) {
  begin();
  arrive({"none", "now", "none"});
  EXPECT_EQ(replies(), Texts{"now"});
  stream->peer_finishes();
  loop.run();
  ASSERT_TRUE(end && *end);
}

TEST_F(ServerConnectionTest, ReadsNoFurtherThanTheBoundOnWaitingReplies) {
  begin({.max_pending = 4});
  Texts all;
  for (int i = 0; i < 10; i++) all.push_back("later " + std::to_string(i));
  arrive(all);
  size_t begun = answers.begun.size();
  EXPECT_LE(begun, 5u) << "four wait, and one is awaited";
  for (int i = 0; i < 10; i++) {
    release("later " + std::to_string(i));
    EXPECT_LE(answers.begun.size(), begun + static_cast<size_t>(i) + 1);
  }
  EXPECT_EQ(replies(), all);
}

TEST_F(ServerConnectionTest, ReadsNoFurtherThanTheBoundOnBytesOfWaitingRequests) {
  begin({.max_pending_bytes = 10'000});
  Texts all;
  for (int i = 0; i < 10; i++)
    all.push_back("later " + std::to_string(i) + std::string(4'000, 'x'));
  arrive(all);
  EXPECT_EQ(answers.begun.size(), 3u);
  for (const std::string& one : all) release(one);
  EXPECT_EQ(replies(), all);
}

TEST_F(ServerConnectionTest, ABadRequestEndsTheConnectionBehindTheRepliesBefore) {
  begin();
  arrive({"now 1", "later 2", "bad", "now 3"});
  EXPECT_FALSE(end);
  release("later 2");
  EXPECT_EQ(replies(), (Texts{"now 1", "later 2"}));
  ASSERT_TRUE(end);
  ASSERT_FALSE(*end);
  EXPECT_EQ(end->error().text(), "a bad request");
  EXPECT_TRUE(stream->closed());
}

TEST_F(ServerConnectionTest, AReplyMayBeTheLast) {
  begin();
  arrive({"now 1", "last 2", "now 3"});
  EXPECT_EQ(replies(), (Texts{"now 1", "last 2"}));
  ASSERT_TRUE(end && *end);
  EXPECT_TRUE(stream->closed());
}

TEST_F(ServerConnectionTest, AHalfClosedPeerGetsItsReplies) {
  begin();
  stream->arrive(framed("later 1") + framed("now 2"));
  stream->peer_finishes();
  loop.run();
  EXPECT_FALSE(end);
  release("later 1");
  EXPECT_EQ(replies(), (Texts{"later 1", "now 2"}));
  ASSERT_TRUE(end && *end);
}

TEST_F(ServerConnectionTest, AResetPeerEndsItWithTheErrorOnceWhatItBeganIsOver) {
  begin();
  arrive({"later 1"});
  stream->peer_resets();
  loop.run();
  EXPECT_FALSE(end) << "the append is under way";
  release("later 1");
  ASSERT_TRUE(end);
  ASSERT_FALSE(*end);
  EXPECT_EQ(end->error().code(), Errc::reset);
}

TEST_F(ServerConnectionTest, CloseEndsAnIdleConnection) {
  begin();
  EXPECT_TRUE(stream->receiving());
  connection->close();
  loop.run();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->error().code(), Errc::cancelled);
}

TEST_F(ServerConnectionTest, CloseEndsAConnectionWhosePeerDoesNotRead) {
  begin();
  stream->set_room(0);
  arrive({"now 1", "now 2"});
  EXPECT_TRUE(stream->sending());
  connection->close();
  loop.run();
  ASSERT_TRUE(end);
}

TEST_F(ServerConnectionTest, APeerThatDoesNotReadStopsTheReading) {
  begin({.max_pending = 4});
  stream->set_room(0);
  for (int i = 0; i < 20; i++) arrive({"now"});
  EXPECT_LT(answers.begun.size(), 12u);
}

TEST_F(ServerConnectionTest, CloseDuringARequestEndsItAfterTheRequest) {
  begin();
  arrive({"wait 1"});
  connection->close();
  loop.run();
  EXPECT_FALSE(end);
  release("wait 1");
  ASSERT_TRUE(end);
}

TEST_F(ServerConnectionTest, BeginsNoneOfTheReceivedRequestsAfterClose) {
  begin();
  arrive({"wait 1", "wait 2"});
  connection->close();
  release("wait 1");
  EXPECT_TRUE(end);
  EXPECT_EQ(answers.begun.size(), 1u);
}

TEST_F(ServerConnectionTest, MayDieWhileEverythingWaits) {
  begin();
  arrive({"later 1", "later 2", "wait 3"});
  EXPECT_EQ(answers.begun.size(), 3u);
  scope.reset();
  connection.reset();
  EXPECT_EQ(pool.in_use(), 0u);
}

}  // namespace
}  // namespace moldau::net
