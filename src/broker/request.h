// One request on its way through a handler: its frame, its header, an arena for all that it needs, and how to answer.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "net/frame_reader.h"
#include "net/outgoing.h"
#include "wire/apis.h"
#include "wire/messages/request_header.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace moldau::broker {

struct Request {
  Request(net::Frame f, const wire::ApiInfo& a) : frame(std::move(f)), api(a), body(frame.bytes, arena, a.name) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  net::Frame frame;
  const wire::ApiInfo& api;
  Arena arena;
  wire::Reader body;             // behind the header
  int16_t version = 0;
  int32_t correlation_id = 0;
  std::string_view client_id;

  // Pieces of records for the reply. They hold memory, so the arena cannot.
  std::span<wire::RecordsPiece> pieces(size_t n) {
    return record_pieces_.emplace_back(n);
  }
  // The frame's bytes that a decoded view shows, writable: they are ours until somebody shares them.
  MutableBytes writable(Bytes view) const;

 private:
  std::deque<std::vector<wire::RecordsPiece>> record_pieces_;
};
using RequestPtr = std::unique_ptr<Request>;
// A handler takes the request for good: what it leaves for later keeps it alive. An error ends the connection.
using Answer = host::Task<Result<net::Outgoing>>;

// Writes the reply's frame: length, header, then whatever is written to it.
class ReplyWriter {
 public:
  explicit ReplyWriter(const Request& request);
  wire::Writer& writer() { return writer_; }
  net::Outgoing finish() &&;

 private:
  Chain chain_;
  MutableBytes length_;
  wire::Writer writer_;
};

template <class T>
net::Outgoing reply(const Request& request, const T& body) {
  ReplyWriter out(request);
  encode(out.writer(), request.version, body);
  return std::move(out).finish();
}

}  // namespace moldau::broker
