// Records that say the whole of one thing: a broker, a controller, a topic, a partition, a setting.
// Of the version that a level of metadata.version has (invariant K15). Pure; for snapshots and for
// the controller.
#pragma once
#include <string_view>

#include "metadata/image.h"

namespace moldau::metadata {

using Record = std::vector<uint8_t>;  // the value of a metadata record
using Records = std::vector<Record>;

// How the records of a cluster are written.
struct RecordLevel {
  explicit RecordLevel(const Image& image);
  int16_t metadata_version;
  bool elr;  // eligible leader replicas are kept (KIP-966)
};

Record broker_record(const Broker& broker, RecordLevel level);
Record controller_record(const Controller& controller);
Record topic_record(std::string_view name, const Uuid& id);
Record partition_record(const Uuid& topic, int32_t index, const Partition& partition,
                        RecordLevel level);
// No value: the setting goes back to its default.
Record config_record(const ConfigResource& resource, std::string_view name,
                     std::optional<std::string_view> value);
// Of one topic, "" of all: nobody is eligible any more.
Record clear_elr_record(std::string_view topic);
Record feature_record(std::string_view name, int16_t level);
// No value: the quota is removed.
Record quota_record(const QuotaEntity& entity, std::string_view key, std::optional<double> value);
Record producer_ids_record(BrokerId broker, int64_t epoch, int64_t next);

}  // namespace moldau::metadata
