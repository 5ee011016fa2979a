// The records of consumer groups in Kafka's own bytes; for group/records.cc.
#pragma once
#include "base/arena.h"
#include "coordinator/group/records.h"

namespace moldau::coordinator::group {

// Any record but an offset or a classic group.
RecordBytes encode_consumer_record(const Record& record);

struct RawRecord {
  int16_t sort = -1;
  int16_t version = -1;  // of the value
  Bytes key;
  std::optional<Bytes> value;
};
// Nothing: of a sort that is not kept here. Errors: as decode_record.
Result<std::optional<Record>> decode_consumer_record(const RawRecord& raw, Arena& arena);

}  // namespace moldau::coordinator::group
