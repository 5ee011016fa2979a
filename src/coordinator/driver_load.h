// Reading the log of a shard into its core: what Driver does with the bytes, without the waiting.
#pragma once
#include <algorithm>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "coordinator/group/core.h"
#include "wire/inflate.h"

namespace moldau::coordinator {

struct Loading {
  Offset next;             // the first record that has not been read
  int64_t records = 0;     // seen
  int64_t unreadable = 0;  // passed over; what sorts of record there are is not known for ever
  std::string last_error;
  wire::Inflater inflater;
};

// Whole batches; the last one may be cut short, and is then read again. False: nothing new was in
// it. Errors: what is wrong with a batch.
Result<bool> load_batches(group::GroupCore& core, Bytes bytes, Loading& loading);

}  // namespace moldau::coordinator
