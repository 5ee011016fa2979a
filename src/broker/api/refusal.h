// What a request for a topic is refused with: Kafka's error and its text. Used by the APIs that
// make topics and partitions.
#pragma once
#include <string>

#include "wire/error_code.h"
#include "wire/types.h"

namespace moldau::broker {

struct Refusal {
  wire::ErrorCode error = wire::ErrorCode::none;
  std::string text;
};

// Of the brokers that are to have a partition, while `self` is the only one there is.
Refusal check_replicas(const wire::Array<int32_t>& brokers, int32_t self);

}  // namespace moldau::broker
