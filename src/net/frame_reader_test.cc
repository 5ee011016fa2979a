#include "net/frame_reader.h"

#include <gtest/gtest.h>

#include "host/buffer_pool.h"
#include "net/test_stream.h"

namespace moldau::net {
namespace {

constexpr size_t kMaxFrame = 1 << 20;

std::string pattern(size_t size, char from = 'a') {
  std::string out(size, from);
  for (size_t i = 0; i < size; i++) out[i] = static_cast<char>(from + static_cast<char>(i % 23));
  return out;
}

struct FrameReaderTest : testing::Test {
  host::TestLoop loop;
  host::BufferPool pool{1 << 20};
  TestStream stream{loop};
  FrameReader reader{pool, stream, kMaxFrame};
  std::vector<Frame> frames;
  std::optional<Error> error;
  bool ended = false;
  bool keep = true;  // frames, else only their text
  std::vector<std::string> contents;
  host::Scope scope{loop, "test"};

  host::Task<void> read_all() {
    for (;;) {
      Result<std::optional<Frame>> frame = co_await reader.next();
      if (!frame) {
        error = frame.error();
        co_return;
      }
      if (!frame->has_value()) break;
      contents.emplace_back(as_text((*frame)->bytes));
      if (keep) frames.push_back(std::move(**frame));
    }
    ended = true;
  }
  void begin() {
    scope.spawn(read_all());
    loop.run();
  }
  void arrive(std::string_view bytes) {
    stream.arrive(bytes);
    loop.run();
  }
};

TEST_F(FrameReaderTest, FindsTheSameFramesWhereverTheStreamIsSplit) {
  std::vector<std::string> wanted = {"", "x", pattern(7), pattern(300), "", pattern(40)};
  std::string all;
  for (const std::string& one : wanted) all += framed(one);
  for (size_t split = 0; split <= all.size(); split++) {
    host::TestLoop turns;
    TestStream halves(turns);
    FrameReader cut(pool, halves, kMaxFrame);
    if (split > 0) halves.arrive(all.substr(0, split));
    if (split < all.size()) halves.arrive(all.substr(split));
    halves.peer_finishes();
    std::vector<std::string> found;
    auto read = [](FrameReader& from, std::vector<std::string>& out) -> host::Task<void> {
      for (;;) {
        Result<std::optional<Frame>> frame = co_await from.next();
        if (!frame || !frame->has_value()) co_return;
        out.emplace_back(as_text((*frame)->bytes));
      }
    };
    host::Scope tasks(turns, "split");
    tasks.spawn(read(cut, found));
    turns.run();
    ASSERT_EQ(found, wanted) << "split after " << split;
  }
}

TEST_F(FrameReaderTest, FramesKeepTheirBytesWhileLaterOnesArrive) {
  begin();
  std::vector<std::string> wanted;
  for (size_t i = 0; i < 300; i++)
    wanted.push_back(pattern(i * 37, static_cast<char>('A' + i % 20)));
  std::string all;
  for (const std::string& one : wanted) all += framed(one);
  for (size_t at = 0; at < all.size(); at += 1000) arrive(all.substr(at, 1000));
  ASSERT_EQ(frames.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); i++) EXPECT_EQ(as_text(frames[i].bytes), wanted[i]) << i;
}

TEST_F(FrameReaderTest, SmallFramesShareABlockAndARead) {
  begin();
  std::string all;
  for (int i = 0; i < 50; i++) all += framed("0123456789");
  arrive(all);
  ASSERT_EQ(frames.size(), 50u);
  for (const Frame& frame : frames) EXPECT_EQ(frame.block.data(), frames[0].block.data());
  EXPECT_EQ(pool.in_use(), 4096u);
}

TEST_F(FrameReaderTest, KnowsWhetherAWholeFrameIsThere) {
  EXPECT_FALSE(reader.has_whole_frame());
  arrive(framed("one") + framed("two") + framed("three").substr(0, 6));
  std::vector<bool> more;
  auto read = [](FrameReader& from, std::vector<bool>& out) -> host::Task<void> {
    for (int i = 0; i < 2; i++) {
      Result<std::optional<Frame>> frame = co_await from.next();
      out.push_back(from.has_whole_frame());
    }
  };
  scope.spawn(read(reader, more));
  loop.run();
  EXPECT_EQ(more, (std::vector<bool>{true, false}));
}

TEST_F(FrameReaderTest, MemoryFollowsWhatWasReceivedNotWhatIsClaimed) {
  begin();
  std::string large = framed(pattern(kMaxFrame));
  arrive(large.substr(0, 10));
  EXPECT_LE(pool.in_use(), 4096u);
  for (size_t at = 10; at < large.size(); at += 5000) {
    size_t had = at;
    arrive(large.substr(at, 5000));
    EXPECT_LE(pool.in_use(), std::max<size_t>(8 * (had + 5000), 4096)) << had;
  }
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(as_text(frames[0].bytes), pattern(kMaxFrame));
}

TEST_F(FrameReaderTest, RefusesAFrameAboveTheLimitBeforeItComes) {
  begin();
  arrive(framed(pattern(100)) + std::string("\x00\x10\x00\x01", 4));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Errc::too_large);
  EXPECT_NE(error->text().find("1048577"), std::string::npos) << error->text();
  EXPECT_NE(error->text().find("socket.request.max.bytes=1048576"), std::string::npos);
  EXPECT_EQ(frames.size(), 1u);
}

TEST_F(FrameReaderTest, ALengthBelowZeroIsTooLarge) {
  begin();
  arrive("\xff\xff\xff\xff");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Errc::too_large);
}

TEST_F(FrameReaderTest, TellsWhatTheClientSpeaks) {
  begin();
  arrive("GET / HTTP/1.1\r\n");
  ASSERT_TRUE(error);
  EXPECT_NE(error->text().find("HTTP"), std::string::npos) << error->text();
  EXPECT_NE(guess_protocol(as_bytes("\x16\x03\x01\x02")).find("TLS"), std::string_view::npos);
  EXPECT_EQ(guess_protocol(as_bytes(std::string_view("\0\0\0\1", 4))), "");
  EXPECT_EQ(guess_protocol({}), "");
}

TEST_F(FrameReaderTest, TheEndBetweenFramesIsInOrderAndInsideOneIsNot) {
  begin();
  arrive(framed("whole"));
  stream.peer_finishes();
  loop.run();
  EXPECT_TRUE(ended);

  TestStream half(loop);
  FrameReader cut(pool, half, kMaxFrame);
  half.arrive(framed("whole").substr(0, 6));
  half.peer_finishes();
  Errc code{};
  auto read = [](FrameReader& from, Errc& out) -> host::Task<void> {
    Result<std::optional<Frame>> frame = co_await from.next();
    out = frame ? Errc::closed : frame.error().code();
  };
  scope.spawn(read(cut, code));
  loop.run();
  EXPECT_EQ(code, Errc::truncated);
}

TEST_F(FrameReaderTest, AResetIsItsError) {
  begin();
  stream.peer_resets();
  loop.run();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Errc::reset);
}

TEST_F(FrameReaderTest, AnIdleConnectionHoldsLittleAlsoAfterALargeFrame) {
  keep = false;
  begin();
  EXPECT_LE(pool.in_use(), 4096u);
  for (int i = 0; i < 3; i++) arrive(framed(pattern(kMaxFrame / 2)));
  ASSERT_EQ(contents.size(), 3u);
  EXPECT_LE(pool.in_use(), 4096u) << "while nothing comes";
}

TEST_F(FrameReaderTest, LargeFramesNeedFewReadsOnceTheFirstBytesAreThere) {
  keep = false;
  begin();
  std::string large = framed(pattern(kMaxFrame / 2));
  for (int i = 0; i < 3; i++) arrive(large);
  int before = stream.receives;
  arrive(large);
  EXPECT_EQ(contents.size(), 4u);
  EXPECT_LE(stream.receives - before, 4);
}

TEST_F(FrameReaderTest, AConnectionThatSentMuchIsNotTrustedWithTheSameForAFewBytes) {
  keep = false;
  begin();
  for (int i = 0; i < 3; i++) arrive(framed(pattern(kMaxFrame / 2)));
  arrive(framed(pattern(kMaxFrame / 2)).substr(0, 10));
  EXPECT_LE(pool.in_use(), 4096u);
}

TEST_F(FrameReaderTest, NeverReceivesIntoNothing) {
  begin();
  // Frames that end exactly, or nearly, where the block does.
  for (size_t short_of = 0; short_of < 6; short_of++) {
    std::string all;
    for (int i = 0; i < 4; i++) all += framed(pattern(1020));
    all += framed(pattern(4096 - 4 - short_of));
    arrive(all);
  }
  EXPECT_GT(stream.smallest_room, 0u);
  EXPECT_EQ(frames.size(), 30u);
}

}  // namespace
}  // namespace moldau::net
