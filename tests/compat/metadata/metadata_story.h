// Random stories of a cluster's metadata: every type of record, each where it may stand.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace moldau::compat {

// One step of a script: records, replayed one after the other into one delta.
using Records = std::vector<std::vector<uint8_t>>;

std::vector<Records> metadata_story(uint64_t seed, int16_t metadata_version, size_t steps);

}  // namespace moldau::compat
