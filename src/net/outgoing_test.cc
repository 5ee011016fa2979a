#include "net/outgoing.h"

#include <gtest/gtest.h>

#include "host/buffer_pool.h"
#include "net/test_stream.h"

namespace moldau::net {
namespace {

constexpr size_t kLarge = 40'000;  // a range that is not copied

struct OutgoingTest : testing::Test {
  host::TestLoop loop;
  host::BufferPool pool{1 << 20};
  TestStream stream{loop};
  std::vector<Outgoing> messages;
  std::optional<Result<void>> result;
  host::Scope scope{loop, "test"};

  host::Task<void> send() { result = co_await send_all(stream, pool, std::move(messages)); }
  void run() {
    scope.spawn(send());
    loop.run();
  }
  Outgoing& message(std::string_view text) {
    Outgoing& added = messages.emplace_back();
    added.chain.append(as_bytes(text));
    return added;
  }
  static std::shared_ptr<TestFile> file(size_t size, char fill) {
    return std::make_shared<TestFile>(std::string(size, fill));
  }
};

TEST_F(OutgoingTest, GathersAllMessagesInOneSend) {
  message("one,");
  message("two,").chain.append(SharedBytes::copy_of(as_bytes("three,")));
  message("four");
  run();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ(stream.sent, "one,two,three,four");
  EXPECT_EQ(stream.calls.size(), 1u);
  EXPECT_FALSE(stream.calls[0].more);
}

TEST_F(OutgoingTest, SendsNothingForNoMessages) {
  run();
  ASSERT_TRUE(result && *result);
  EXPECT_TRUE(stream.calls.empty());
}

TEST_F(OutgoingTest, GoesOnWhereAShortSendEnded) {
  for (size_t most = 1; most < 12; most++) {
    stream.sent.clear();
    stream.most_at_once = most;
    messages.clear();
    message("abc").chain.append(SharedBytes::copy_of(as_bytes("defg")));
    message("hijklmnop");
    run();
    ASSERT_TRUE(result && *result);
    EXPECT_EQ(stream.sent, "abcdefghijklmnop") << most;
  }
}

TEST_F(OutgoingTest, ManyPiecesGoInBatches) {
  std::string wanted;
  for (int i = 0; i < 200; i++) {
    std::string text = std::to_string(i) + " ";
    message(text).chain.append(SharedBytes::copy_of(as_bytes("- ")));
    wanted += text + "- ";
  }
  run();
  EXPECT_EQ(stream.sent, wanted);
  for (const TestStream::Call& call : stream.calls) EXPECT_LE(call.parts, 64u);
  EXPECT_FALSE(stream.calls.back().more);
}

TEST_F(OutgoingTest, SmallFileRangesAreCopiedAndLeaveWithTheRest) {
  Outgoing& out = message("head ");
  out.files = {file(100, 'f')};
  out.chain.append_file(0, 90, 10);
  out.chain.append(as_bytes(" tail"));
  auto read = std::static_pointer_cast<const TestFile>(out.files[0]);
  run();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ(stream.sent, "head ffffffffff tail");
  EXPECT_EQ(stream.calls.size(), 1u);
  EXPECT_EQ(read->reads, 1);
}

TEST_F(OutgoingTest, LargeFileRangesGoFromTheFile) {
  Outgoing& out = message("head ");
  out.files = {file(kLarge + 5, 'f')};
  out.chain.append_file(0, 5, kLarge);
  out.chain.append(as_bytes(" tail"));
  auto read = std::static_pointer_cast<const TestFile>(out.files[0]);
  stream.most_at_once = 30'000;
  run();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ(stream.sent, "head " + std::string(kLarge, 'f') + " tail");
  EXPECT_EQ(read->reads, 0);
  EXPECT_TRUE(stream.calls[0].more) << "the head waits for the range";
}

TEST_F(OutgoingTest, TheLastSendAfterAFileRangeDoesNotWaitForMore) {
  Outgoing& out = message("head ");
  out.files = {file(kLarge, 'f')};
  out.chain.append_file(0, 0, kLarge);
  run();
  EXPECT_TRUE(stream.calls.back().file);
}

TEST_F(OutgoingTest, CopiesOfFileRangesAreGivenBackOnceSent) {
  for (int i = 0; i < 256; i++) {
    Outgoing& out = message("h");
    out.files = {file(20'000, 'f')};
    out.chain.append_file(0, 0, 20'000);
  }
  stream.set_room(0);
  run();
  size_t at_first = pool.in_use();
  EXPECT_GT(at_first, 0u);
  for (int i = 0; i < 4; i++) {
    stream.set_room(32 * 20'001);
    loop.run();
    EXPECT_LE(pool.in_use(), at_first) << "no more than one batch of them is held";
  }
}

TEST_F(OutgoingTest, AFileThatEndsEarlyIsAnError) {
  for (size_t length : {size_t{200}, kLarge}) {
    messages.clear();
    Outgoing& out = message("head");
    out.files = {file(length - 100, 'f')};
    out.chain.append_file(0, 0, length);
    run();
    ASSERT_TRUE(result);
    ASSERT_FALSE(*result) << length;
    EXPECT_EQ(result->error().code(), Errc::io);
  }
}

TEST_F(OutgoingTest, EndsWithTheErrorOfTheStream) {
  stream.most_at_once = 3;
  message("abcdef");
  stream.peer_resets();
  run();
  ASSERT_TRUE(result);
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code(), Errc::reset);
}

}  // namespace
}  // namespace moldau::net
