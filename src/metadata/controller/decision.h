// What every decision of the controller has in common (design D4): it looks at the cluster as of
// the last record that was appended, and says which records are to follow and what is answered when
// they are committed. Nothing changes but by its records. Pure.
#pragma once
#include <optional>
#include <string>

#include "metadata/entity_records.h"
#include "metadata/image.h"
#include "wire/error_code.h"

namespace moldau::metadata {

struct Verdict {
  wire::ErrorCode error = wire::ErrorCode::none;
  std::string text;
  bool good() const { return error == wire::ErrorCode::none; }
  bool operator==(const Verdict&) const = default;
};

// Reply begins with a Verdict. A refusal has no records.
template <class Reply>
struct Decision {
  Records records;
  Reply reply;
};

// What the operator decided about the controller.
struct ControllerSettings {
  BrokerId node;  // its own id
  std::string cluster_id;
  int32_t partitions = 1;                // num.partitions
  int16_t replication_factor = 1;        // default.replication.factor
  int32_t min_insync_replicas = 1;       // min.insync.replicas
  bool unclean_leader_election = false;  // unclean.leader.election.enable
};

// What decisions look at besides their request.
struct View {
  const Image& image;
  const ControllerSettings& settings;
};

// Whether there is such a broker, and it speaks in its present epoch (nothing: in any). Errors:
// broker_id_not_registered, stale_broker_epoch.
Verdict check_broker(const Image& image, BrokerId broker, std::optional<int64_t> epoch);
// Takes part: neither fenced nor on its way out.
bool is_active(const Image& image, int32_t broker);
// A setting of a topic as the controller sees it: the topic's own, this controller's, the
// cluster's; nothing: what the operator wrote.
std::optional<std::string> effective_topic_config(const View& view, std::string_view topic,
                                                  const std::string& name);
int32_t min_insync_replicas(const View& view, std::string_view topic);
bool unclean_election_allowed(const View& view, std::string_view topic);

constexpr int8_t kTopicResource = 2, kBrokerResource = 4;
constexpr const char* kMinIsr = "min.insync.replicas";

}  // namespace moldau::metadata
