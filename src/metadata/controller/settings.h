// Settings, quotas, producer ids, feature levels. What a setting may be is looked at by who asks:
// only the broker knows them all. Pure.
#pragma once
#include "metadata/controller/decision.h"

namespace moldau::metadata {

struct ConfigChangeTo {
  std::string name;
  std::optional<std::string> value;  // nothing: back to its default
};
struct ChangeConfigs {
  ConfigResource resource;
  std::vector<ConfigChangeTo> changes;
};
// Errors: unknown_topic_or_partition.
Decision<Verdict> decide(const View& view, const ChangeConfigs& wanted);

struct ChangeQuotas {
  QuotaEntity entity;
  std::map<std::string, std::optional<double>> values;  // nothing: removed
};
// Errors: invalid_request (an entity or a quota that there is not).
Decision<Verdict> decide(const View& view, const ChangeQuotas& wanted);

constexpr int32_t kProducerIdBlock = 1'000;
struct AllocateProducerIds {
  BrokerId broker;
  int64_t epoch = -1;
};
struct ProducerIdsAllocated : Verdict {
  int64_t first = -1;
  int32_t count = 0;
};
// Errors: broker_id_not_registered, stale_broker_epoch.
Decision<ProducerIdsAllocated> decide(const View& view, const AllocateProducerIds& wanted);

struct FeatureUpdate {
  std::string name;
  int16_t level = 0;  // 0: none any more
  enum class Kind : int8_t { unknown = 0, upgrade = 1, safe_downgrade = 2, unsafe_downgrade = 3 };
  Kind kind = Kind::upgrade;
};
struct UpdateFeatures {
  std::vector<FeatureUpdate> updates = {};
  bool validate_only = false;
};
// All of them or none. What this program knows: supported_features(). Errors: invalid_request,
// invalid_update_version, feature_update_failed.
Decision<Verdict> decide(const View& view, const UpdateFeatures& wanted);

}  // namespace moldau::metadata
