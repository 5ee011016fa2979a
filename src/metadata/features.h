// The levels of metadata.version that Kafka's releases have, and the features that a new cluster
// begins with at each. Pure facts (docs/formats/metadata-record.md).
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "metadata/resources.h"

namespace moldau::metadata {

struct MetadataLevel {
  int16_t level;
  std::string_view name;  // "4.3-IV0"
  bool new_formats;       // records changed: it cannot be gone back behind without loss
};

// From the lowest that Kafka 4 knows to that of 4.3, rising by one.
std::span<const MetadataLevel> metadata_levels();
constexpr int16_t kLatestMetadataVersion = 30;
// By level; nullptr: none of these.
const MetadataLevel* find_metadata_level(int16_t level);
// By name: "4.3-IV0", or the last of a release: "4.3", "4.3.1". nullptr: no such release.
const MetadataLevel* find_metadata_level(std::string_view name);

// What a new cluster is given: metadata.version itself, and every other feature whose default is
// not 0 at that level. kraft.version is none of them: it lives in control records.
Features default_features(int16_t metadata_version);

// What this program can do, as a broker and as a controller.
const std::map<std::string, Levels>& supported_features();

}  // namespace moldau::metadata
