#include "net/server_connection.h"

#include <deque>
#include <utility>

#include "host/env.h"
#include "host/event.h"
#include "host/network.h"
#include "host/scope.h"

namespace moldau::net {

using host::Task;

struct ServerConnection::State {
  State(host::Env& e, host::BufferPool& p, std::unique_ptr<host::Stream> s, ConnectionLimits l)
      : env(e),
        pool(p),
        stream(std::move(s)),
        limits(l),
        reader(pool, *stream, l.max_frame),
        changed(e.loop),
        writer(e.loop, "connection") {}

  Task<Result<void>> read_requests(RequestHandler& handler);
  Task<void> write_replies();
  Task<std::vector<Outgoing>> next_replies();
  bool full() const {
    return pending.size() >= limits.max_pending || pending_bytes >= limits.max_pending_bytes;
  }

  host::Env& env;
  host::BufferPool& pool;
  std::unique_ptr<host::Stream> stream;
  const ConnectionLimits limits;
  FrameReader reader;
  struct Pending {
    Outgoing reply;
    size_t bytes;  // of the request
  };
  std::deque<Pending> pending;  // in request order, at most limits.max_pending
  size_t pending_bytes = 0;     // of their requests, and of the one whose reply is awaited
  bool closing = false;         // by us: what was received and not begun is not begun any more
  bool reading_done = false;
  Result<void> write_result;
  bool writing_done = false;
  host::Event changed;  // pending, reading_done or writing_done
  host::Scope writer;   // dies first: its task uses all of the above
};

ServerConnection::ServerConnection(host::Env& env, host::BufferPool& pool,
                                   std::unique_ptr<host::Stream> stream, ConnectionLimits limits)
    : state_(std::make_unique<State>(env, pool, std::move(stream), limits)) {}

ServerConnection::~ServerConnection() = default;

void ServerConnection::close() {
  state_->closing = true;
  state_->stream->close();
}
host::Address ServerConnection::peer() const { return state_->stream->peer(); }

Task<Result<void>> ServerConnection::State::read_requests(RequestHandler& handler) {
  for (;;) {
    Result<std::optional<Frame>> frame = co_await reader.next();
    if (!frame) co_return std::move(frame.error());
    if (!frame->has_value()) co_return Result<void>();
    Frame request = std::move(**frame);
    size_t bytes = request.bytes.size();
    Result<Outgoing> reply = co_await handler.handle(std::move(request));
    if (!reply) co_return std::move(reply.error());
    bool last = reply->close;
    pending.push_back({std::move(*reply), bytes});
    pending_bytes += bytes;
    changed.notify_all();
    if (last || closing) co_return Result<void>();
    while (full() && !writing_done) co_await changed.wait();
    if (writing_done) co_return Result<void>();
  }
}

// All replies at the front that are ready, at least one; none at the end.
Task<std::vector<Outgoing>> ServerConnection::State::next_replies() {
  std::vector<Outgoing> ready;
  while (pending.empty() && !reading_done) co_await changed.wait();
  while (!pending.empty()) {
    const Later* first = pending.front().reply.later.get();
    if (first && !ready.empty() && !first->ready()) break;  // what is ready does not wait for it
    Outgoing reply = std::move(pending.front().reply);
    size_t bytes = pending.front().bytes;
    pending.pop_front();
    if (std::unique_ptr<Later> later = std::move(reply.later)) reply = co_await later->finish();
    pending_bytes -= bytes;
    if (reply.chain.size() > 0) ready.push_back(std::move(reply));
  }
  changed.notify_all();
  co_return ready;
}

Task<void> ServerConnection::State::write_replies() {
  for (;;) {
    // The reader may have more in its buffer: let it begin them, so that their replies leave with
    // these.
    if (reader.has_whole_frame() && !full()) co_await env.loop.yield();
    std::vector<Outgoing> ready = co_await next_replies();
    if (ready.empty() && pending.empty() && reading_done) break;
    write_result = co_await send_all(*stream, pool, std::move(ready));
    if (!write_result) break;
  }
  if (!write_result) stream->close();  // the reader may wait for a peer that is gone
  writing_done = true;
  changed.notify_all();
}

Task<Result<void>> ServerConnection::serve(RequestHandler& handler) {
  State& s = *state_;
  s.writer.spawn(s.write_replies());
  Result<void> read_result = co_await s.read_requests(handler);
  s.reading_done = true;
  s.changed.notify_all();
  co_await s.writer.drained();
  s.stream->close();
  if (!s.write_result) co_return std::move(s.write_result);
  co_return read_result;
}

}  // namespace moldau::net
