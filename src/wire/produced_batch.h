// What a broker checks, and sets, in the records that a producer sent for one partition: Kafka's
// rules, in Kafka's order. Produce from 3 on carries one batch of format 2, which is checked and
// changed where it lies; what comes in an older format (Produce 0 to 2), or with another codec than
// the topic wants, is built anew.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/shared_bytes.h"
#include "base/time.h"
#include "wire/error_code.h"
#include "wire/inflate.h"
#include "wire/record_batch.h"

namespace moldau::wire {

// How a topic wants its batches looked at. Full is Kafka's way; header leaves what is in a
// compressed batch to the consumers.
enum class BatchValidation : uint8_t { full, header };

struct ProduceRules {
  int16_t version = 0;                // of the Produce request: zstd is allowed from 7 on (KIP-110)
  int64_t max_batch_bytes = 1048588;  // max.message.bytes
  WallTime now;
  int64_t max_behind_millis =
      std::numeric_limits<int64_t>::max();                    // message.timestamp.before.max.ms
  int64_t max_ahead_millis = 3600 * 1000;                     // message.timestamp.after.max.ms
  TimestampType timestamp_type = TimestampType::create_time;  // message.timestamp.type
  bool compacted = false;                                     // cleanup.policy
  std::optional<Codec> codec;  // compression.type; nothing: the producer's
  std::optional<int> level;    // of codec
  BatchValidation validation = BatchValidation::full;
  std::string_view partition;  // "topic-0", for the texts
};

struct RecordFault {
  int32_t index = 0;  // of the record in its batch
  std::string text;
};

// Why a batch is refused, as Kafka says it.
struct BatchFault {
  ErrorCode error = ErrorCode::none;
  std::string text;                  // for ErrorMessage; empty: null
  std::vector<RecordFault> records;  // those at fault, the first kMaxRecordFaults
  bool in_log = false;  // found by what Kafka calls the log: the answer shows the log start offset
};
constexpr size_t kMaxRecordFaults = 1000;  // Kafka lists all: more memory than was sent

struct ProducedBatch {
  MutableBytes bytes;  // whole batches of format 2, ready for the log; fault.error is none. Empty:
                       // there was nothing to append (Produce below 3 only)
  BlockRef block;      // set if bytes were built anew: they lie in it, not in the request
  int32_t records = 0;
  int64_t append_time = -1;  // milliseconds, if the broker sets the timestamps
  BatchFault fault;
};

// records: what the request carries for one partition. May set max timestamp and timestamp type in
// the header, with the CRC, as Kafka does.
ProducedBatch check_produced(MutableBytes records, const ProduceRules& rules, Inflater& inflater);

}  // namespace moldau::wire
