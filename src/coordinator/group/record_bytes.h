// What the encoders of records share: two bytes in front of a message, and messages of owned texts.
#pragma once
#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/chain.h"
#include "base/result.h"
#include "wire/message.h"

namespace moldau::coordinator::group {

inline std::optional<std::string> owned(const wire::NullableString& text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}
inline wire::NullableString view(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return std::string_view(*text);
}

// Two bytes, then the message: of a key the sort, of a value the version.
template <class M>
std::vector<uint8_t> with_prefix(int16_t prefix, const M& message, int16_t version) {
  Chain chain;
  uint8_t front[2];
  store_be<int16_t>(front, prefix);
  chain.append(Bytes(front));
  wire::encode(message, version, chain);
  return chain.flatten();
}

// What follows the two bytes.
template <class M>
Result<M> decode_rest(Bytes in, int16_t version, Arena& arena, std::string_view what) {
  if (version < M::kMinVersion || version > M::kMaxVersion)
    return fail(Errc::invalid, fmt::format("{} of version {}", what, version));
  Result<M> message = wire::decode<M>(in.subspan(2), version, arena);
  if (!message) return std::move(message.error()).in(what);
  return message;
}

}  // namespace moldau::coordinator::group
