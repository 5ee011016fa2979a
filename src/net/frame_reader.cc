#include "net/frame_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "host/buffer_pool.h"
#include "host/network.h"

namespace moldau::net {
namespace {

constexpr size_t kLength = 4;         // of the length field
constexpr size_t kSmallBlock = 4096;  // what an idle connection holds
constexpr size_t kLargestLook =
    64 << 10;  // what a busy one receives many small frames into; larger ones are large
constexpr size_t kLargestTrusted =
    2 << 20;                    // a block of this size is given before the bytes are there, at most
constexpr size_t kGrowth = 4;   // room per byte that has been received,
constexpr size_t kTrust = 256;  // and if recent frames were that large

size_t frame_length(Bytes bytes) { return load_be<uint32_t>(bytes.data()); }

}  // namespace

std::string_view guess_protocol(Bytes first) {
  std::string_view text = as_text(first);
  for (std::string_view method : {"GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI"})
    if (text.starts_with(method))
      return "this looks like HTTP: a web client reached the Kafka port";
  if (first.size() >= 2 && first[0] == 0x16 && first[1] == 0x03)
    return "this looks like TLS: the client speaks SSL, this listener is PLAINTEXT (set "
           "security.protocol of the client)";
  return "";
}

FrameReader::FrameReader(host::BufferPool& pool, host::Stream& stream, size_t max_frame)
    : pool_(pool), stream_(stream), max_frame_(max_frame), look_(kSmallBlock) {}

bool FrameReader::has_whole_frame() const {
  size_t have = end_ - begin_;
  return have >= kLength && have - kLength >= frame_length(unread());
}

Result<std::optional<Frame>> FrameReader::take_buffered() {
  size_t have = end_ - begin_;
  if (have < kLength) return std::nullopt;
  size_t length = frame_length(unread());
  if (length > max_frame_) {
    std::string_view guess = guess_protocol(unread());
    return fail(Errc::too_large,
                fmt::format("a frame of {} bytes is larger than socket.request.max.bytes={}{}{}",
                            length, max_frame_, guess.empty() ? "" : "; ", guess));
  }
  if (have - kLength < length) {
    wanted_ = kLength + length;
    return std::nullopt;
  }
  Frame frame{block_, MutableBytes(block_.data() + begin_ + kLength, length)};
  begin_ += kLength + length;
  wanted_ = 0;
  typical_ = std::max(kLength + length, typical_ - typical_ / 8);
  if (begin_ == end_ && block_.capacity() > kLargestLook) block_ = {}, begin_ = end_ = 0;
  return frame;
}

// Leaves free room behind end_. Moves what is unread to another block when the present one is too
// small: earlier parts of it belong to frames that were handed out.
void FrameReader::make_room() {
  size_t have = end_ - begin_;
  if (block_ && have == 0 && block_.unique())
    begin_ = end_ = 0;  // nobody holds an earlier frame: use it again
  size_t room = block_ ? block_.capacity() - begin_ : 0;
  size_t least = wanted_ > 0 ? wanted_ : look_ / 4;
  if (least <= room) return;
  size_t earned = std::min({typical_, kLargestTrusted, have * kTrust});
  size_t trusted = std::max({look_, earned, have * kGrowth});
  size_t size = std::max(look_, std::min(wanted_, trusted));
  if (block_ && end_ < block_.capacity() && size <= room) return;  // fill this one first
  BlockRef next = pool_.get(std::max(size, have + 1));
  if (have > 0) std::memcpy(next.data(), unread().data(), have);
  block_ = std::move(next);
  begin_ = 0;
  end_ = have;
}

// Where the next bytes go: of a large frame only its own, so that the one behind it begins in a
// block that fits it.
MutableBytes FrameReader::free_room() const {
  size_t room = block_.capacity() - end_;
  if (wanted_ > kLargestLook) room = std::min(room, wanted_ - (end_ - begin_));
  return {block_.data() + end_, room};
}

// Adapts the block for the next look to what a receive brings. Before large frames little is worth
// to be received.
void FrameReader::learn(size_t received, size_t room) {
  end_ += received;
  if (wanted_ > kLargestLook || typical_ > kLargestLook)
    look_ = kSmallBlock;
  else if (received == room)
    look_ = std::min(look_ * 2, kLargestLook);
  else if (received < look_ / 4)
    look_ = std::max(look_ / 2, kSmallBlock);
}

host::Task<Result<std::optional<Frame>>> FrameReader::next() {
  for (;;) {
    if (block_) {
      Result<std::optional<Frame>> frame = take_buffered();
      if (!frame || frame->has_value()) co_return frame;
    }
    make_room();
    MutableBytes room = free_room();
    Result<size_t> received = co_await stream_.recv(room);
    if (!received) co_return std::move(received.error());
    if (*received == 0) {
      if (begin_ == end_) co_return std::nullopt;
      co_return fail(Errc::truncated,
                     fmt::format("the peer finished {} bytes into a frame", end_ - begin_));
    }
    learn(*received, room.size());
  }
}

}  // namespace moldau::net
