// The head of an HTTP/1.x request, read strictly: what is not plainly a request without a body is
// refused with the status that says so. Pure; used by http_server.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace moldau::broker {

constexpr size_t kMaxHttpHead = 8192;  // bytes; what is longer is refused

struct HttpRequest {
  std::string_view method;
  std::string_view path;   // as it was sent, without the query
  std::string_view query;  // behind '?'; may be empty
  bool keep_alive = true;
};

struct HttpParse {
  enum class State : uint8_t { incomplete, complete, refused };
  State state = State::incomplete;
  int status = 0;       // of what is refused: 400, 413, 414, 431, 505
  size_t used = 0;      // bytes of the head, if complete
  HttpRequest request;  // views the bytes
};

// bytes: all that came since the last request. More of them may be there than one head.
HttpParse parse_http(std::string_view bytes);

// The name that goes with a status.
std::string_view http_reason(int status);

}  // namespace moldau::broker
