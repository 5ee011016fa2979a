#include "metadata/features.h"

#include <algorithm>

namespace moldau::metadata {

namespace {

constexpr MetadataLevel kLevels[] = {
    {7, "3.3-IV3", true},   {8, "3.4-IV0", true},   {9, "3.5-IV0", false},  {10, "3.5-IV1", false},
    {11, "3.5-IV2", true},  {12, "3.6-IV0", false}, {13, "3.6-IV1", true},  {14, "3.6-IV2", true},
    {15, "3.7-IV0", true},  {16, "3.7-IV1", false}, {17, "3.7-IV2", true},  {18, "3.7-IV3", false},
    {19, "3.7-IV4", false}, {20, "3.8-IV0", false}, {21, "3.9-IV0", false}, {22, "4.0-IV0", false},
    {23, "4.0-IV1", true},  {24, "4.0-IV2", false}, {25, "4.0-IV3", false}, {26, "4.1-IV0", false},
    {27, "4.1-IV1", false}, {28, "4.2-IV0", false}, {29, "4.2-IV1", false}, {30, "4.3-IV0", true},
};

struct Default {
  const char* feature;
  int16_t from;  // level of metadata.version
  int16_t level;
};
constexpr Default kDefaults[] = {
    {"group.version", 22, 1},
    {"transaction.version", 24, 2},
    {"eligible.leader.replicas.version", 26, 1},
    {"share.version", 28, 1},
    {"streams.version", 29, 1},
};

}  // namespace

std::span<const MetadataLevel> metadata_levels() { return kLevels; }

const MetadataLevel* find_metadata_level(int16_t level) {
  auto at = std::ranges::find(kLevels, level, &MetadataLevel::level);
  return at == std::end(kLevels) ? nullptr : at;
}

const MetadataLevel* find_metadata_level(std::string_view name) {
  auto exact = std::ranges::find(kLevels, name, &MetadataLevel::name);
  if (exact != std::end(kLevels)) return exact;
  // "4.3.1" is of the release 4.3, whose levels are named 4.3-IV0 and so on.
  size_t dot = name.find('.');
  std::string release(name.substr(0, name.find('.', dot == name.npos ? dot : dot + 1)));
  release += "-IV";
  const MetadataLevel* last = nullptr;
  for (const MetadataLevel& one : kLevels)
    if (one.name.starts_with(release) && name.find('-') == name.npos) last = &one;
  return last;
}

Features default_features(int16_t metadata_version) {
  Features all{{"metadata.version", metadata_version}};
  for (const Default& one : kDefaults)
    if (metadata_version >= one.from) all[one.feature] = one.level;
  return all;
}

const std::map<std::string, Levels>& supported_features() {
  static const std::map<std::string, Levels> kAll{
      {"eligible.leader.replicas.version", {0, 1}},
      {"group.version", {0, 1}},
      {"kraft.version", {0, 1}},
      {"metadata.version", {7, kLatestMetadataVersion}},
      {"share.version", {0, 1}},
      {"streams.version", {0, 1}},
      {"transaction.version", {0, 2}},
  };
  return kAll;
}

}  // namespace moldau::metadata
