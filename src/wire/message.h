// Decoding, encoding and printing of any generated message: decode<FetchRequest>(bytes, version,
// arena).
#pragma once
#include <string>

#include "base/arena.h"
#include "base/chain.h"
#include "base/ids.h"
#include "base/result.h"
#include "wire/api_key.h"
#include "wire/types.h"

namespace moldau::wire {

class Reader;
class Writer;
struct MessageInfo;

// unsupported for a version without schema, truncated or invalid for anything that is not such a
// message; the text names message and field. Bytes after the message are ignored, as Kafka does;
// *rest receives them if given.
Result<void> decode_into(const MessageInfo& info, void* message, Bytes in, int16_t version,
                         Arena& arena, Bytes* rest = nullptr);
// The caller has checked the version: another one is a bug.
void encode_any(const MessageInfo& info, const void* message, int16_t version, Chain& out);
size_t encoded_size(const MessageInfo& info, const void* message, int16_t version);
// JSON with Kafka's field names, on one line; record data as its size, bytes as base64.
std::string print_any(const MessageInfo& info, const void* message, int16_t version);

// The result views `in` and the arena: both outlive it.
template <class M>
Result<M> decode(Bytes in, int16_t version, Arena& arena) {
  Result<M> message(std::in_place);
  Result<void> done = decode_into(M::kInfo, &*message, in, version, arena);
  if (!done) return std::move(done.error());
  return message;
}
template <class M>
void encode(const M& message, int16_t version, Chain& out) {
  encode_any(M::kInfo, &message, version, out);
}
template <class M>
std::string print(const M& message, int16_t version) {
  return print_any(M::kInfo, &message, version);
}

}  // namespace moldau::wire
