// Any bytes as what comes on the HTTP port. Whatever is taken is a request line of ours: its parts
// lie in the head, and the same head alone is taken in the same way.
#include <string_view>

#include "base/check.h"
#include "broker/monitoring/http_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau::broker;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  HttpParse parse = parse_http(bytes);
  if (parse.state == HttpParse::State::refused) {
    CHECK(parse.status >= 400 && http_reason(parse.status) != "Error", "status {}", parse.status);
    return 0;
  }
  if (parse.state == HttpParse::State::incomplete) {
    CHECK(size < kMaxHttpHead, "{} bytes are still no request", size);
    return 0;
  }
  CHECK(parse.used >= 4 && parse.used <= size && parse.used <= kMaxHttpHead);
  CHECK(bytes.substr(0, parse.used).ends_with("\r\n\r\n"));
  CHECK(parse.request.path.starts_with('/'));
  HttpParse again = parse_http(bytes.substr(0, parse.used));
  CHECK(again.state == HttpParse::State::complete && again.used == parse.used);
  CHECK(again.request.path == parse.request.path && again.request.query == parse.request.query);
  return 0;
}
