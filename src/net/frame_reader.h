// Cuts a stream into Kafka's frames: a length (4 bytes, big endian), then that many bytes. Many
// small frames share one pooled block and one read; a frame is a part of its block and lives as
// long as anybody holds the block. Memory follows what was received: a frame that claims 100 MB and
// sends 1 KB holds a few KiB, and so does a connection that waits, whatever it sent before. A large
// frame is received into a block of its own, to its end and not beyond: so its bytes are not
// copied.
#pragma once
#include <optional>

#include "base/result.h"
#include "base/shared_bytes.h"
#include "host/task.h"

namespace moldau::host {
class BufferPool;
class Stream;
}  // namespace moldau::host

namespace moldau::net {

// One frame without its length. The bytes are ours alone until somebody shares the block's part.
struct Frame {
  BlockRef block;
  MutableBytes bytes;
};

class FrameReader {
 public:
  // max_frame: a longer one is an error (socket.request.max.bytes).
  FrameReader(host::BufferPool& pool, host::Stream& stream, size_t max_frame);

  // The next frame; nothing if the peer finished between two frames.
  // Errors: too_large (the text guesses what the peer speaks), truncated, and the stream's.
  host::Task<Result<std::optional<Frame>>> next();
  // next() would return without waiting for the peer.
  bool has_whole_frame() const;

 private:
  Result<std::optional<Frame>> take_buffered();
  void make_room();
  MutableBytes free_room() const;
  void learn(size_t received, size_t room);
  Bytes unread() const { return {block_.data() + begin_, end_ - begin_}; }

  host::BufferPool& pool_;
  host::Stream& stream_;
  const size_t max_frame_;
  BlockRef block_;
  size_t begin_ = 0;    // of what was received and not yet handed out
  size_t end_ = 0;      // of what was received
  size_t wanted_ = 0;   // whole size of the frame that is incomplete, 0 if not known
  size_t typical_ = 0;  // size of recent frames
  size_t look_;         // size of a block for frames whose lengths are not known yet
};

// What a first "length" that is far too large says about the peer: "this looks like TLS …", or "".
std::string_view guess_protocol(Bytes first);

}  // namespace moldau::net
