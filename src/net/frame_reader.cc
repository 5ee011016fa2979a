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
constexpr size_t kLeastRoom = 512;    // a read into less is not worth its call
constexpr size_t kGrowth = 4;         // room per byte that has been received,
constexpr size_t kTrust = 64;         // and if recent frames were that large

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
  if (begin_ == end_ && block_.capacity() - end_ < kLength) block_ = {}, begin_ = end_ = 0;
  return frame;
}

// What the block should hold for the frame that has begun: all of it, but no more than what has
// come allows. A connection whose frames have been large is trusted further, or each would be read
// in many pieces.
size_t FrameReader::allowance(size_t have) const {
  size_t earned = std::max(have * kGrowth, std::min(typical_, have * kTrust));
  return std::max(kSmallBlock, std::min(wanted_, earned));
}

// Leaves free room behind end_. Moves what is unread to another block when the present one is full:
// earlier parts of it belong to frames that were handed out. While nothing is unread the connection
// may stay idle for hours: then it holds a small block, whatever went before.
void FrameReader::make_room() {
  size_t have = end_ - begin_;
  size_t size = allowance(have);
  if (block_ && have == 0) {
    if (block_.unique()) begin_ = end_ = 0;  // nobody holds an earlier frame: use it again
    bool full = block_.capacity() - end_ < kLeastRoom;
    if (full || block_.capacity() > kSmallBlock) block_ = {};
  }
  if (block_ && end_ < block_.capacity()) {
    size_t room = block_.capacity() - begin_;
    if (wanted_ <= room || size <= room) return;  // it fits, or this one is to be filled first
  }
  BlockRef next = pool_.get(std::max(size, have + 1));
  if (have > 0) std::memcpy(next.data(), unread().data(), have);
  block_ = std::move(next);
  begin_ = 0;
  end_ = have;
}

host::Task<Result<std::optional<Frame>>> FrameReader::next() {
  for (;;) {
    if (block_) {
      Result<std::optional<Frame>> frame = take_buffered();
      if (!frame || frame->has_value()) co_return frame;
    }
    make_room();
    MutableBytes room(block_.data() + end_, block_.capacity() - end_);
    Result<size_t> received = co_await stream_.recv(room);
    if (!received) co_return std::move(received.error());
    if (*received == 0) {
      if (begin_ == end_) co_return std::nullopt;
      co_return fail(Errc::truncated,
                     fmt::format("the peer finished {} bytes into a frame", end_ - begin_));
    }
    end_ += *received;
  }
}

}  // namespace moldau::net
