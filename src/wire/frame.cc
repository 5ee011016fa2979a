#include "wire/frame.h"

#include <fmt/format.h>

#include "base/check.h"
#include "wire/messages/response_header.h"

namespace moldau::wire {
namespace {

// Writes the length in front of what `body` appends.
template <class Body>
void framed(Chain& out, Body body) {
  MutableBytes length = out.extend(sizeof(int32_t));
  size_t before = out.size();
  body();
  store_be(length.data(), static_cast<int32_t>(out.size() - before));
}

}  // namespace

bool RequestStart::version_known() const {
  int16_t v = header.request_api_version;
  return v >= api->request->min_version && v <= api->request->max_version;
}

Result<RequestStart> decode_request_start(Bytes frame, Arena& arena) {
  if (frame.size() < 4)
    return fail(Errc::truncated, "request shorter than its API key and version");
  int16_t key = load_be<int16_t>(frame.data());
  int16_t version = load_be<int16_t>(frame.data() + 2);
  RequestStart start;
  start.api = find_api(key);
  if (!start.api || !start.api->request)
    return fail(Errc::unsupported, fmt::format("API key {} is not served", key));
  int16_t header = start.api->request_header(version);
  TRY_(decode_into(RequestHeader::kInfo, &start.header, frame, header, arena, &start.body));
  return start;
}

Result<int32_t> peek_correlation_id(Bytes response_frame) {
  if (response_frame.size() < 4)
    return fail(Errc::truncated, "response shorter than its correlation id");
  return load_be<int32_t>(response_frame.data());
}

void encode_request_any(const MessageInfo& info, const void* message, int16_t version,
                        int32_t correlation_id, NullableString client_id, Chain& out) {
  const ApiInfo* api = find_api(info.api_key);
  CHECK(api && info.kind == MessageKind::request, "{} is no request", info.name);
  RequestHeader header;
  header.request_api_key = info.api_key;
  header.request_api_version = version;
  header.correlation_id = correlation_id;
  header.client_id = client_id;
  framed(out, [&] {
    encode(header, api->request_header(version), out);
    encode_any(info, message, version, out);
  });
}

void encode_response_any(const MessageInfo& info, const void* message, int16_t version,
                         int32_t correlation_id, Chain& out) {
  const ApiInfo* api = find_api(info.api_key);
  CHECK(api && info.kind == MessageKind::response, "{} is no response", info.name);
  ResponseHeader header;
  header.correlation_id = correlation_id;
  framed(out, [&] {
    encode(header, api->response_header(version), out);
    encode_any(info, message, version, out);
  });
}

Result<void> decode_response_into(const MessageInfo& info, void* message, Bytes frame,
                                  int16_t version, Arena& arena) {
  const ApiInfo* api = find_api(info.api_key);
  CHECK(api && info.kind == MessageKind::response, "{} is no response", info.name);
  ResponseHeader header;
  Bytes body;
  TRY_(decode_into(ResponseHeader::kInfo, &header, frame, api->response_header(version), arena,
                   &body));
  return decode_into(info, message, body, version, arena);
}

}  // namespace moldau::wire
