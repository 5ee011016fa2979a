#include "broker/api/handlers.h"

namespace moldau::broker {

// Kafka 4.3.1's ranges, and below them what the 3.9 line served.
std::span<const Served> served_apis() {
  using wire::ApiKey;
  static constexpr Served kServed[] = {
      {ApiKey::produce, 0, 0, 13, &produce},
      {ApiKey::fetch, 0, 0, 18, &fetch},
      {ApiKey::list_offsets, 0, 0, 11, &list_offsets},
      {ApiKey::metadata, 0, 0, 13, &metadata},
      {ApiKey::find_coordinator, 0, 0, 6, &find_coordinator},
      {ApiKey::api_versions, 0, 0, 4, &api_versions},
      {ApiKey::create_topics, 0, 0, 7, &create_topics},
      {ApiKey::delete_topics, 0, 0, 6, &delete_topics},
      {ApiKey::delete_records, 0, 0, 2, &delete_records},
      {ApiKey::init_producer_id, 0, 0, 5, &init_producer_id},
  };
  return kServed;
}

}  // namespace moldau::broker
