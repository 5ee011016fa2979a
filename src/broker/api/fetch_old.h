// Fetch below version 4: the records in the message formats of that time.
#pragma once
#include "base/result.h"
#include "host/task.h"
#include "log/log.h"

namespace moldau::broker {

constexpr int16_t kFirstOfFormat2 = 4;  // version of Fetch

// Puts the converted records in the place of those read. version: of Fetch, below 4. from: the
// offset asked for. Errors: unsupported (zstd), the disk's, and what is wrong with the batches.
host::Task<Result<void>> convert_read(log::ReadResult& read, int16_t version, Offset from);

}  // namespace moldau::broker
