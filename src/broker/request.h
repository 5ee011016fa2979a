// One request on its way through a handler: its frame, its header, an arena for all that it needs,
// and how to answer.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/arena.h"
#include "net/frame_reader.h"
#include "net/outgoing.h"
#include "wire/frame.h"

namespace moldau::broker {

struct Request {
  explicit Request(net::Frame f) : frame(std::move(f)) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  net::Frame frame;
  Arena arena;
  Bytes body;  // behind the header
  int16_t version = 0;
  int32_t correlation_id = 0;
  std::string_view client_id;
  std::string client_host;  // as Kafka tells it: "/127.0.0.1"

  // The frame's bytes that a decoded view shows, writable: they are ours until somebody shares
  // them.
  MutableBytes writable(Bytes view) const;
};
using RequestPtr = std::unique_ptr<Request>;
// A handler takes the request for good: what it leaves for later keeps it alive. An error ends the
// connection.
using Answer = host::Task<Result<net::Outgoing>>;

// The reply's frame: length, header, body.
template <class T>
net::Outgoing reply(const Request& request, const T& body) {
  net::Outgoing out;
  wire::encode_response(body, request.version, request.correlation_id, out.chain);
  return out;
}

}  // namespace moldau::broker
