// For the tests of this module: metadata records and batches of them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "metadata/image.h"

namespace moldau::metadata {

using Record = std::vector<uint8_t>;

Uuid id_of(uint8_t n);
Record topic_record(std::string_view name, Uuid id);
// Of one replica each: replica r leads and is in sync.
Record partition_record(Uuid topic, int32_t index, std::vector<int32_t> replicas);
Record config_record(int8_t type, std::string_view name, std::string_view key, const char* value);
Record broker_record(int32_t id, int64_t epoch);
Record level_record(std::string_view name, int16_t level);

// A batch of the metadata log.
std::vector<uint8_t> batch_of(Offset base, const std::vector<Record>& records,
                              LeaderEpoch epoch = LeaderEpoch(1));
// A control batch with one record of that type.
std::vector<uint8_t> control_batch(Offset base, int16_t type);

// All of them into an empty image; a failure stops the test.
Image image_of(const std::vector<Record>& records);

}  // namespace moldau::metadata
