#include "broker/api/refusal.h"

#include <fmt/format.h>

namespace moldau::broker {

using wire::ErrorCode;

Refusal check_replicas(const wire::Array<int32_t>& brokers, int32_t self) {
  constexpr ErrorCode kBad = ErrorCode::invalid_replica_assignment;
  if (brokers.empty())
    return {kBad, "The manual partition assignment includes an empty replica list."};
  for (size_t i = 0; i < brokers.size(); i++) {
    if (brokers[i] != self)
      return {kBad, fmt::format("The manual partition assignment includes broker {}, but no such "
                                "broker is registered.",
                                brokers[i])};
    if (i > 0)
      return {kBad,
              fmt::format("The manual partition assignment includes the broker {} more than once.",
                          self)};
  }
  return {};
}

}  // namespace moldau::broker
