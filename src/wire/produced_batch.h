// What a broker checks, and sets, in a record batch (format v2) that a producer sent: Kafka's
// rules, in Kafka's order. Compressed batches: the header and the CRC only, until the codecs are
// here (docs/status.md).
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "wire/error_code.h"

namespace moldau::wire {

struct ProduceRules {
  int16_t version = 0;                // of the Produce request: zstd is allowed from 7 on (KIP-110)
  int64_t max_batch_bytes = 1048588;  // message.max.bytes
  WallTime now;
  int64_t max_ahead_millis = 3600 * 1000;  // message.timestamp.after.max.ms
};

// Why a batch is refused, as Kafka says it.
struct BatchFault {
  ErrorCode error = ErrorCode::none;
  std::string text;               // for ErrorMessage; empty: null
  std::optional<int32_t> record;  // index of the record that is at fault
  std::string record_text;
  bool in_log = false;  // found by what Kafka calls the log: the answer shows the log start offset
};

struct ProducedBatch {
  MutableBytes bytes;  // exactly one batch, ready for the log; fault.error is none
  int32_t records = 0;
  BatchFault fault;
};

// records: what the request carries for one partition. May set max timestamp and timestamp type in
// the header, with the CRC, as Kafka does.
ProducedBatch check_produced(MutableBytes records, const ProduceRules& rules);

}  // namespace moldau::wire
