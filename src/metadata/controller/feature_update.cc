// UpdateFeatures: levels of features, within what every registered broker and controller knows.
#include <fmt/format.h>

#include <algorithm>

#include "metadata/controller/settings.h"
#include "metadata/features.h"

namespace moldau::metadata {

using wire::ErrorCode;

namespace {

constexpr const char* kVersion = "metadata.version";
constexpr int16_t kElrNeeds = 23;  // 4.0-IV1

Verdict cannot(ErrorCode error, const FeatureUpdate& update, std::string why) {
  return {error, fmt::format("Invalid update version {} for feature {}. {}", update.level,
                             update.name, why)};
}

// Somebody who is there does not know the level.
Verdict check_nodes(const Image& image, const FeatureUpdate& update) {
  auto lacks = [&](const std::map<std::string, Levels>& features) {
    auto at = features.find(update.name);
    Levels levels = at == features.end() ? Levels{} : at->second;
    return update.level < levels.min || update.level > levels.max;
  };
  constexpr ErrorCode kBad = ErrorCode::invalid_update_version;
  for (const auto& [id, broker] : *image.brokers)
    if (lacks(broker.features))
      return cannot(kBad, update, fmt::format("Broker {} does not support this version.", id));
  for (const auto& [id, controller] : *image.controllers)
    if (lacks(controller.features))
      return cannot(kBad, update, fmt::format("Controller {} does not support this version.", id));
  return {};
}

int16_t level_of(const Features& features, const std::string& name) {
  auto at = features.find(name);
  return at == features.end() ? int16_t{0} : at->second;
}

Verdict check_direction(const FeatureUpdate& update, int16_t now) {
  using Kind = FeatureUpdate::Kind;
  constexpr ErrorCode kBad = ErrorCode::invalid_update_version;
  if (update.level < now && update.kind == Kind::upgrade)
    return cannot(kBad, update,
                  "Can't downgrade the version of this feature without setting the "
                  "upgrade type to either safe or unsafe downgrade.");
  if (update.level > now && update.kind != Kind::upgrade)
    return cannot(kBad, update, "Can't downgrade to a newer version.");
  return {};
}

// Back behind a level that changed the records loses what only the newer ones say.
Verdict check_metadata_version(const FeatureUpdate& update, int16_t now) {
  constexpr ErrorCode kBad = ErrorCode::invalid_update_version;
  if (!find_metadata_level(update.level)) return cannot(kBad, update, "Unknown metadata.version.");
  for (int16_t level = now; level > update.level; level--) {
    const MetadataLevel* passed = find_metadata_level(level);
    bool lossy = passed && passed->new_formats;
    if (!lossy) continue;
    bool forced = update.kind == FeatureUpdate::Kind::unsafe_downgrade;
    std::string_view why =
        forced ? "Unsafe metadata downgrade is not supported in this version."
               : "Refusing to perform the requested downgrade because it might delete metadata "
                 "information.";
    return {kBad, fmt::format("Unsupported metadata.version downgrade from {} to {}. {}", now,
                              update.level, why)};
  }
  return {};
}

Verdict check(const View& view, const FeatureUpdate& update, int16_t metadata_version) {
  const Image& image = view.image;
  if (update.kind == FeatureUpdate::Kind::unknown)
    return cannot(ErrorCode::invalid_update_version, update,
                  "The controller does not support the given upgrade type.");
  auto supported = supported_features().find(update.name);
  if (supported == supported_features().end() || update.level < supported->second.min ||
      update.level > supported->second.max)
    return cannot(
        ErrorCode::invalid_update_version, update,
        supported == supported_features().end()
            ? fmt::format("Local controller {} does not support this feature.", view.settings.node)
            : fmt::format("Local controller {} only supports versions {}-{}", view.settings.node,
                          supported->second.min, supported->second.max));
  int16_t now = level_of(*image.features, update.name);
  if (Verdict verdict = check_direction(update, now); !verdict.good()) return verdict;
  if (Verdict verdict = check_nodes(image, update); !verdict.good()) return verdict;
  if (update.name == kVersion) return check_metadata_version(update, now);
  bool elr = update.name == "eligible.leader.replicas.version" && update.level > 0;
  if (elr && metadata_version < kElrNeeds)
    return cannot(ErrorCode::invalid_update_version, update,
                  "It needs metadata.version 23 or more.");
  return {};
}

}  // namespace

Decision<Verdict> decide(const View& view, const UpdateFeatures& wanted) {
  Decision<Verdict> out;
  int16_t metadata_version = view.image.metadata_version();
  for (const FeatureUpdate& one : wanted.updates)
    if (one.name == kVersion) metadata_version = one.level;
  for (const FeatureUpdate& one : wanted.updates) {
    out.reply = check(view, one, metadata_version);
    if (!out.reply.good()) {
      out.records.clear();
      return out;
    }
    if (level_of(*view.image.features, one.name) == one.level) continue;
    Record record = feature_record(one.name, one.level);
    // The level says how to read the rest.
    out.records.insert(one.name == kVersion ? out.records.begin() : out.records.end(), record);
  }
  if (wanted.validate_only) out.records.clear();
  return out;
}

}  // namespace moldau::metadata
