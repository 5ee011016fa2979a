// What the handlers of groups share: texts and bytes of requests as values that may outlive them.
#pragma once
#include <optional>
#include <string>

#include "base/bytes.h"
#include "broker/node.h"
#include "coordinator/driver.h"
#include "wire/types.h"

namespace moldau::broker {

// Bit i stands for the operation with Kafka's number i: all that there are of groups. Without an
// authorizer everything is allowed.
constexpr int32_t kGroupOperations = 3400;

inline std::string owned(std::string_view text) { return std::string(text); }
inline std::string owned(Bytes bytes) { return std::string(as_text(bytes)); }
inline std::optional<std::string> owned(const wire::NullableString& text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}
inline wire::NullableString view(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return std::string_view(*text);
}

}  // namespace moldau::broker
