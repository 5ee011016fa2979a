#include "net/frame_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "host/buffer_pool.h"
#include "host/network.h"
#include "host/test_loop.h"

namespace moldau::net {
namespace {

using host::Task;

// A peer that has sent all it will: recv gives pieces of it, at most `piece` bytes each; waits when
// it is used up.
class ScriptedStream final : public host::Stream {
 public:
  std::string sent;
  size_t piece = SIZE_MAX;
  bool finished = false;  // at the end the peer has finished; else recv waits for ever
  size_t receives = 0;
  size_t waiting_room = 0;  // of the recv that waits

  bool start(host::RecvOp& op) override {
    size_t n = std::min({op.into.size(), piece, sent.size() - at_});
    if (n == 0 && !finished) {
      waiting_room = op.into.size();
      return false;
    }
    receives++;
    std::copy_n(sent.begin() + static_cast<std::ptrdiff_t>(at_), n, op.into.begin());
    at_ += n;
    return op.succeed(static_cast<int64_t>(n));
  }
  bool start(host::SendOp& op) override { return op.succeed(); }
  void shutdown_send() override {}
  void close() override {}
  host::Address peer() const override { return {}; }
  host::Address local() const override { return {}; }

  void add_frame(size_t size, char fill) {
    uint8_t length[4];
    store_be(length, static_cast<uint32_t>(size));
    sent.append(length, length + 4);
    sent.append(size, fill);
  }

 private:
  size_t at_ = 0;
};

struct Blocks {
  host::TestLoop loop;
  host::BufferPool pool{0};
  ScriptedStream stream;
  std::vector<Frame> frames;
  std::string end;   // why reading ended
  bool keep = true;  // frames are held, as the log's tail does
  host::Scope scope{loop, "test"};

  static Task<void> read_all(Blocks& b, size_t max_frame) {
    FrameReader reader(b.pool, b.stream, max_frame);
    for (;;) {
      Result<std::optional<Frame>> frame = co_await reader.next();
      if (!frame)
        b.end = frame.error().to_string();
      else if (!frame->has_value())
        b.end = "finished";
      if (!b.end.empty()) co_return;
      b.frames.push_back(std::move(**frame));
      if (!b.keep) b.frames.back().block = {};
    }
  }
  void run(size_t max_frame = 100 << 20) {
    scope.spawn(read_all(*this, max_frame));
    loop.run();
  }
};

void expect_frame(const Frame& frame, size_t size, char fill) {
  EXPECT_EQ(frame.bytes.size(), size);
  EXPECT_TRUE(std::ranges::all_of(
      frame.bytes, [&](uint8_t byte) { return byte == static_cast<uint8_t>(fill); }));
}

TEST(FrameReader, CutsTheSameFramesHoweverTheBytesArrive) {
  for (uint64_t seed = 0; seed < 10; seed++) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Blocks b;
    std::vector<std::pair<size_t, char>> expected;
    for (int i = 0; i < 60; i++) {
      size_t limit = size_t{1} << random.below(18);
      size_t size = random.below(limit);
      char fill = static_cast<char>('a' + i % 26);
      expected.emplace_back(size, fill);
      b.stream.add_frame(size, fill);
    }
    size_t scale = size_t{1} << random.below(17);
    b.stream.piece = 1 + scale;
    b.stream.finished = true;
    b.run();
    EXPECT_EQ(b.end, "finished");
    ASSERT_EQ(b.frames.size(), expected.size());
    for (size_t i = 0; i < expected.size(); i++)
      expect_frame(b.frames[i], expected[i].first, expected[i].second);
  }
}

TEST(FrameReader, ReceivesManySmallFramesAtOnce) {
  Blocks b;
  for (int i = 0; i < 1000; i++) b.stream.add_frame(200, 'x');
  b.stream.finished = true;
  b.run();
  EXPECT_EQ(b.frames.size(), 1000u);
  EXPECT_LE(b.stream.receives, 16u);
}

TEST(FrameReader, ReceivesALargeFrameIntoABlockOfItsOwn) {
  constexpr size_t kSize = 1'000'000;
  Blocks b;
  for (int i = 0; i < 8; i++) b.stream.add_frame(kSize, static_cast<char>('a' + i));
  b.stream.finished = true;
  b.run();
  ASSERT_EQ(b.frames.size(), 8u);
  for (size_t i = 1; i < b.frames.size(); i++) {
    expect_frame(b.frames[i], kSize, static_cast<char>('a' + i));
    EXPECT_EQ(b.frames[i].bytes.data() - b.frames[i].block.data(), 4)
        << "a frame begins with its block";
    EXPECT_EQ(b.frames[i].block.capacity(), size_t{1} << 20);
  }
  EXPECT_LE(b.stream.receives, 2u * 8 + 8) << "the length, then the rest";
}

TEST(FrameReader, HoldsLittleWhileItWaits) {
  for (size_t size : {100u, 20'000u, 1'000'000u, 3'000'000u}) {
    SCOPED_TRACE(size);
    Blocks b;
    b.keep = false;
    for (int i = 0; i < 4; i++) b.stream.add_frame(size, 'x');
    b.run();
    EXPECT_EQ(b.frames.size(), 4u);
    EXPECT_GT(b.stream.waiting_room, 0u);
    EXPECT_LE(b.pool.in_use(), size_t{64} << 10);
  }
}

TEST(FrameReader, GivesNoMemoryForAClaim) {
  Blocks b;
  b.stream.sent.assign(1000, '\5');  // a length of 84 MB, and then little
  b.run();
  EXPECT_LE(b.pool.in_use(), size_t{16} << 10);
}

TEST(FrameReader, RefusesAFrameThatIsTooLargeAndGuessesWhatThePeerSpeaks) {
  Blocks b;
  b.stream.sent = "GET / HTTP/1.1\r\n\r\n";
  b.run();
  EXPECT_NE(b.end.find("HTTP"), std::string::npos) << b.end;
}

TEST(FrameReader, SaysWhereThePeerLeft) {
  Blocks b;
  b.stream.add_frame(1000, 'x');
  b.stream.sent.resize(504);
  b.stream.finished = true;
  b.run();
  EXPECT_NE(b.end.find("504 bytes into a frame"), std::string::npos) << b.end;
}

}  // namespace
}  // namespace moldau::net
