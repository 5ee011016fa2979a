// The records of __consumer_offsets in Kafka's own bytes (docs/formats/consumer-offsets.md).
#pragma once
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "coordinator/group/state.h"

namespace moldau::coordinator::group {

struct RecordBytes {
  std::vector<uint8_t> key;
  std::optional<std::vector<uint8_t>> value;  // nothing: a tombstone
  size_t size() const { return key.size() + (value ? value->size() : 0); }
};

RecordBytes encode_record(const Record& record);
// Nothing: a record of a sort that is not kept here; who loads a log goes past it. Errors: invalid
// (a key or value that is none, a version that nobody knows yet).
Result<std::optional<Record>> decode_record(Bytes key, std::optional<Bytes> value);

}  // namespace moldau::coordinator::group
