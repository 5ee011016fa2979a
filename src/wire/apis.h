// The table of APIs that have a schema: keys, names, version ranges, header versions.
#pragma once
#include <cstdint>
#include <span>

#include "wire/api_key.h"

namespace moldau::wire {

struct ApiInfo {
  ApiKey key;
  const char* name;               // Kafka's: "Produce"
  int16_t min_version;            // that we can decode and encode
  int16_t max_version;
  int16_t first_flexible;         // compact types and tagged fields from here on (KIP-482)
  bool on_broker;                 // listeners it belongs to
  bool on_controller;

  int16_t request_header(int16_t version) const { return version >= first_flexible ? 2 : 1; }
  // ApiVersions answers with header 0 always: the client does not know yet what we speak (KIP-511).
  int16_t response_header(int16_t version) const {
    return version >= first_flexible && key != ApiKey::api_versions ? 1 : 0;
  }
};

std::span<const ApiInfo> all_apis();              // sorted by key
const ApiInfo* find_api(int16_t key);             // nullptr: no such API here

}  // namespace moldau::wire
