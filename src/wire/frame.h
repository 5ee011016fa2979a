// What stands around messages on a connection: a length of four bytes, a header, the message. The
// version of the header follows from API and version of the message.
#pragma once
#include "wire/info.h"
#include "wire/message.h"
#include "wire/messages/request_header.h"

namespace moldau::wire {

// A request as far as it is known before its body is decoded. Views the frame.
struct RequestStart {
  RequestHeader header;
  const ApiInfo* api = nullptr;  // with a schema
  Bytes body;
  // Whether the body's version has a schema. If not, only ApiVersions gets an answer (version 0,
  // error 35).
  bool version_known() const;
};

// frame: without the length. unsupported: an API key without schema. A version too new is read with
// the newest header, because that is what ApiVersions from a newer client needs.
Result<RequestStart> decode_request_start(Bytes frame, Arena& arena);
Result<int32_t> peek_correlation_id(Bytes response_frame);

// Appends length, header and message.
void encode_request_any(const MessageInfo& info, const void* message, int16_t version,
                        int32_t correlation_id, NullableString client_id, Chain& out);
void encode_response_any(const MessageInfo& info, const void* message, int16_t version,
                         int32_t correlation_id, Chain& out);
// Decodes what encode_response made, without the length.
Result<void> decode_response_into(const MessageInfo& info, void* message, Bytes frame,
                                  int16_t version, Arena& arena);

template <class M>
void encode_request(const M& message, int16_t version, int32_t correlation_id,
                    NullableString client_id, Chain& out) {
  encode_request_any(M::kInfo, &message, version, correlation_id, client_id, out);
}
template <class M>
void encode_response(const M& message, int16_t version, int32_t correlation_id, Chain& out) {
  encode_response_any(M::kInfo, &message, version, correlation_id, out);
}
template <class M>
Result<M> decode_response(Bytes frame, int16_t version, Arena& arena) {
  Result<M> message(std::in_place);
  Result<void> done = decode_response_into(M::kInfo, &*message, frame, version, arena);
  if (!done) return std::move(done.error());
  return message;
}

}  // namespace moldau::wire
