// The one place that turns error values into Kafka's codes.
#pragma once
#include "base/result.h"
#include "wire/error_code.h"

namespace moldau::broker {

wire::ErrorCode to_kafka(const Error& error);
constexpr int16_t code(wire::ErrorCode error) { return static_cast<int16_t>(error); }

}  // namespace moldau::broker
