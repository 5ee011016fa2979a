// The server on the runtime: a task for each connection, and a nested task for each batch of
// frames.
#include <unistd.h>

#include <cstdlib>

#include "base/check.h"
#include "frames.h"
#include "host/posix/system.h"
#include "host/scope.h"
#include "servers.h"

namespace moldau::bench {
namespace {

struct Log {
  std::unique_ptr<host::File> file;
  Place place;
};

host::Task<Result<void>> append(Log& log, Bytes bytes) {
  std::span<const Bytes> parts(&bytes, 1);
  int64_t position = log.place.take(bytes.size());
  CO_TRY(written, log.file->write_at(parts, position));
  CHECK(written == bytes.size());
  co_return Result<void>();
}

host::Task<Result<void>> flush(host::Stream& stream, Replies& out) {
  while (!out.empty()) {
    Bytes bytes = out.bytes();
    std::span<const Bytes> parts(&bytes, 1);
    CO_TRY(n, stream.send(parts));
    out.sent(n);
  }
  co_return Result<void>();
}

host::Task<void> session(Log& log, std::unique_ptr<host::Stream> stream) {
  FrameBuffer in;
  Replies out;
  for (;;) {
    MutableBytes space = in.space();
    Result<size_t> n = co_await stream->recv(space);
    if (!n || *n == 0) co_return;
    in.commit(*n);
    FrameBuffer::Batch batch = in.whole_frames();
    if (batch.frames > 0) {
      Result<void> appended = co_await append(log, batch.bytes);
      CHECK(appended);
      out.add(batch.frames);
      Result<void> sent = co_await flush(*stream, out);
      if (!sent) co_return;
    }
    in.release(batch);
  }
}

host::Task<void> serve(host::Env& env, int ready, std::string path) {
  Log log;
  auto opened = co_await env.disk.open(path, host::OpenMode::create);
  CHECK(opened);
  log.file = std::move(*opened);
  auto listener = env.network.listen({host::IpAddress::v4(127, 0, 0, 1), 0});
  CHECK(listener);
  uint16_t port = (*listener)->local().port;
  CHECK(::write(ready, &port, sizeof port) == sizeof port);
  host::Scope sessions(env.loop, "session");
  for (;;) {
    auto stream = co_await (*listener)->accept();
    if (stream) sessions.spawn(session(log, std::move(*stream)));
  }
}

}  // namespace

void serve_by_moldau(int ready, const std::string& file) {
  auto system = host::posix::System::create({});
  CHECK(system);
  Result<void> ran = (*system)->run(serve((*system)->env(0), ready, file));
  CHECK(!ran, "the server does not end");
  std::abort();
}

}  // namespace moldau::bench
