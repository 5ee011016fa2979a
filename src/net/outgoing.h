// What a connection sends for one request: bytes, ranges of files, or something that is ready only
// later.
#pragma once
#include <memory>
#include <vector>

#include "base/chain.h"
#include "base/result.h"
#include "host/task.h"

namespace moldau::host {
class BufferPool;
class File;
class Stream;
}  // namespace moldau::host

namespace moldau::net {

struct Outgoing;

// A reply that is not known yet: the append has still to be committed. It begins when its request
// is handled.
class Later {
 public:
  virtual ~Later() = default;
  // finish() would not wait: so the reply can leave together with those before it.
  virtual bool ready() const = 0;
  // Awaited once, in the order of the requests.
  virtual host::Task<Outgoing> finish() = 0;
};

struct Outgoing {
  Chain chain;  // begins with the frame's length; empty: nothing is sent
  std::vector<std::shared_ptr<const host::File>> files;  // what Chain::Piece::file counts
  bool close = false;                                    // end the connection after it
  std::unique_ptr<Later> later;                          // if set, the rest is not known yet
};

// Sends pieces in order: memory gathered into few calls, small file ranges copied, large ones by
// the system's sendfile. After an error the stream is of no use.
host::Task<Result<void>> send_all(host::Stream& stream, host::BufferPool& pool,
                                  std::vector<Outgoing> messages);

}  // namespace moldau::net
