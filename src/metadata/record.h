// The envelope of one record of __cluster_metadata and its snapshots: a frame version, the type and
// the version of the message, the message. Pure. Layout: docs/formats/metadata-record.md.
#pragma once
#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/result.h"
#include "wire/info.h"
#include "wire/message.h"

namespace moldau::metadata {

struct RecordHead {
  int16_t type = 0;  // MessageInfo::api_key of the message
  int16_t version = 0;
  Bytes body;
};

// Errors: truncated, unsupported (a frame version that is not 1, a type or a version that we do not
// know: what it would change cannot be left out), invalid.
Result<RecordHead> read_record_head(Bytes value);
std::vector<uint8_t> write_any_record(const wire::MessageInfo& info, const void* message,
                                      int16_t version);

// value: a record's. The message views it and the arena.
template <class M>
Result<M> read_body(const RecordHead& head, Arena& arena) {
  return wire::decode<M>(head.body, head.version, arena);
}
template <class M>
std::vector<uint8_t> write_record(const M& message, int16_t version) {
  return write_any_record(M::kInfo, &message, version);
}

}  // namespace moldau::metadata
