// The network as a program may see it: streams of bytes between addresses. Each loop has its own.
// Errors: closed/reset (peer), cancelled (we closed it meanwhile), refused, unreachable, timed_out,
// exhausted (out of descriptors), address_in_use, permission.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "host/address.h"
#include "host/await.h"
#include "host/op.h"

namespace moldau::host {

class File;
class Stream;
class Listener;

struct RecvOp : Op {
  MutableBytes into;
  Result<size_t> take() const { return take_count(); }
};
struct SendOp : Op {
  std::span<const Bytes> parts;
  bool more = false;           // another send follows at once: do not flush a small packet
  const File* file = nullptr;  // if set: a range of it instead of parts
  int64_t position = 0;
  size_t length = 0;
  Result<size_t> take() const { return take_count(); }
};
struct ConnectOp : Op {
  Address to;
  std::unique_ptr<Stream> stream;
  Result<std::unique_ptr<Stream>> take();
};
struct AcceptOp : Op {
  std::unique_ptr<Stream> stream;
  Result<std::unique_ptr<Stream>> take();
};
struct ResolveOp : Op {
  std::string host;
  std::vector<IpAddress> addresses;
  Result<std::vector<IpAddress>> take();
};

// One connection. At most one recv and one send at a time. It outlives its operations: close, wait,
// destroy.
class Stream {
 public:
  virtual ~Stream();
  // At least one byte, at most into.size(). 0: the peer has finished sending.
  auto recv(MutableBytes into) {
    return Await<RecvOp, Stream>(*this, [=](RecvOp& op) { op.into = into; });
  }
  // Some of the bytes, at least one; the parts and what they show stay until it returns.
  auto send(std::span<const Bytes> parts, bool more = false) {
    return Await<SendOp, Stream>(*this, [=](SendOp& op) {
      op.parts = parts;
      op.more = more;
    });
  }
  // Some bytes of the file from position on, at most length. 0: the file ends there.
  auto send_file(const File& file, int64_t position, size_t length) {
    return Await<SendOp, Stream>(*this, [=, &file](SendOp& op) {
      op.file = &file;
      op.position = position;
      op.length = length;
    });
  }
  // Half close: the peer's recv returns 0 after what was sent. No send is under way.
  virtual void shutdown_send() = 0;
  virtual void close() = 0;  // operations under way end with cancelled; more of them too
  virtual Address peer() const = 0;
  virtual Address local() const = 0;

  virtual bool start(RecvOp& op) = 0;  // for Await
  virtual bool start(SendOp& op) = 0;
};

class Listener {
 public:
  virtual ~Listener();
  auto accept() {
    return Await<AcceptOp, Listener>(*this, [](AcceptOp&) {});
  }
  virtual void close() = 0;           // an accept under way ends with cancelled
  virtual Address local() const = 0;  // the port that it really has
  virtual bool start(AcceptOp& op) = 0;
};

class Network {
 public:
  virtual ~Network();
  // Several loops may listen on one address; the system spreads connections over them. Port 0: any
  // free one.
  virtual Result<std::unique_ptr<Listener>> listen(const Address& at) = 0;
  auto connect(const Address& to) {
    return Await<ConnectOp, Network>(*this, [&to](ConnectOp& op) { op.to = to; });
  }
  auto resolve(std::string host) {
    return Await<ResolveOp, Network>(*this, [&host](ResolveOp& op) { op.host = std::move(host); });
  }
  virtual bool start(ConnectOp& op) = 0;
  virtual bool start(ResolveOp& op) = 0;
};

}  // namespace moldau::host
