#include "broker/api/handlers.h"
#include "broker/api/telemetry.h"

namespace moldau::broker {

// Kafka 4.3.1's ranges, and below them what the 3.9 line served.
std::span<const Served> served_apis() {
  using wire::ApiKey;
  static constexpr Served kServed[] = {
      {ApiKey::produce, 0, 0, 13, &produce},
      {ApiKey::fetch, 0, 0, 18, &fetch},
      {ApiKey::list_offsets, 0, 0, 11, &list_offsets},
      {ApiKey::metadata, 0, 0, 13, &metadata},
      {ApiKey::offset_commit, 0, 0, 10, &offset_commit},
      {ApiKey::offset_fetch, 0, 0, 10, &offset_fetch},
      {ApiKey::find_coordinator, 0, 0, 6, &find_coordinator},
      {ApiKey::join_group, 0, 0, 9, &join_group},
      {ApiKey::heartbeat, 0, 0, 4, &heartbeat},
      {ApiKey::leave_group, 0, 0, 5, &leave_group},
      {ApiKey::sync_group, 0, 0, 5, &sync_group},
      {ApiKey::describe_groups, 0, 0, 6, &describe_groups},
      {ApiKey::list_groups, 0, 0, 5, &list_groups},
      {ApiKey::api_versions, 0, 0, 4, &api_versions},
      {ApiKey::create_topics, 0, 0, 7, &create_topics},
      {ApiKey::delete_topics, 0, 0, 6, &delete_topics},
      {ApiKey::delete_records, 0, 0, 2, &delete_records},
      {ApiKey::init_producer_id, 0, 0, 5, &init_producer_id},
      {ApiKey::delete_groups, 0, 0, 2, &delete_groups},
      {ApiKey::offset_delete, 0, 0, 0, &offset_delete},
      {ApiKey::describe_configs, 0, 0, 4, &describe_configs},
      {ApiKey::alter_configs, 0, 0, 2, &alter_configs},
      {ApiKey::incremental_alter_configs, 0, 0, 1, &incremental_alter_configs},
      {ApiKey::describe_quorum, 0, 0, 2, &describe_quorum},
      {ApiKey::update_features, 0, 0, 2, &update_features},
      {ApiKey::describe_cluster, 0, 0, 2, &describe_cluster},
      {ApiKey::unregister_broker, 0, 0, 0, &unregister_broker},
      {ApiKey::offset_for_leader_epoch, 0, 0, 4, &offset_for_leader_epoch},
      {ApiKey::consumer_group_heartbeat, 0, 0, 1, &consumer_group_heartbeat},
      {ApiKey::consumer_group_describe, 0, 0, 1, &consumer_group_describe},
      {ApiKey::list_config_resources, 0, 0, 1, &list_config_resources},
      {ApiKey::describe_log_dirs, 0, 0, 5, &describe_log_dirs},
      {ApiKey::describe_producers, 0, 0, 0, &describe_producers},
      {ApiKey::describe_topic_partitions, 0, 0, 0, &describe_topic_partitions},
      {ApiKey::create_partitions, 0, 0, 3, &create_partitions},
      {ApiKey::get_telemetry_subscriptions, 0, 0, 0, &get_telemetry_subscriptions, true},
      {ApiKey::push_telemetry, 0, 0, 0, &push_telemetry, true},
  };
  return kServed;
}

}  // namespace moldau::broker
