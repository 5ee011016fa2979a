#include "wire/message.h"

#include <fmt/format.h>

#include "base/check.h"
#include "wire/info.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace moldau::wire {

Result<void> decode_into(const MessageInfo& info, void* message, Bytes in, int16_t version,
                         Arena& arena, Bytes* rest) {
  if (version < info.min_version || version > info.max_version)
    return fail(Errc::unsupported, fmt::format("{} has versions {} to {}, not {}", info.name,
                                               info.min_version, info.max_version, version));
  Reader reader(in, arena);
  info.read(message, reader, version);
  if (reader.failed()) return reader.error(info.name, version);
  if (rest) *rest = reader.rest();
  return {};
}

void encode_any(const MessageInfo& info, const void* message, int16_t version, Chain& out) {
  CHECK(version >= info.min_version && version <= info.max_version, "{} version {}", info.name,
        version);
  Writer writer(out);
  info.write(message, writer, version);
}

size_t encoded_size(const MessageInfo& info, const void* message, int16_t version) {
  CHECK(version >= info.min_version && version <= info.max_version, "{} version {}", info.name,
        version);
  Writer writer;
  info.write(message, writer, version);
  return writer.size();
}

int16_t ApiInfo::request_header(int16_t version) const {
  if (version >= request->first_flexible) return 2;
  return key == ApiKey::controlled_shutdown && version == 0 ? 0 : 1;
}

// A client that asks for versions does not know yet what the broker speaks, so its answer never
// changes (KIP-511).
int16_t ApiInfo::response_header(int16_t version) const {
  return version >= response->first_flexible && key != ApiKey::api_versions ? 1 : 0;
}

const ApiInfo* find_api(int16_t key) {
  std::span<const ApiInfo> apis = all_apis();
  if (key < 0 || static_cast<size_t>(key) >= apis.size()) return nullptr;
  return &apis[static_cast<size_t>(key)];
}

}  // namespace moldau::wire
