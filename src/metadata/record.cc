#include "metadata/record.h"

#include <fmt/format.h>

#include "base/varint.h"

namespace moldau::metadata {

namespace {

constexpr uint32_t kFrameVersion = 1;

Result<uint32_t> read_number(Bytes& in, const char* what) {
  uint32_t number = 0;
  size_t used = read_varint(in, &number);
  if (used == 0)
    return fail(Errc::truncated, fmt::format("a metadata record without its {}", what));
  in = in.subspan(used);
  return number;
}

const wire::MessageInfo* find_record(uint32_t type) {
  for (const wire::MessageInfo* info : wire::all_messages())
    if (info->kind == wire::MessageKind::record && info->api_key >= 0 &&
        static_cast<uint32_t>(info->api_key) == type)
      return info;
  return nullptr;
}

}  // namespace

Result<RecordHead> read_record_head(Bytes value) {
  TRY(frame, read_number(value, "frame version"));
  if (frame != kFrameVersion)
    return fail(Errc::unsupported, fmt::format("a metadata record of frame version {}", frame));
  TRY(type, read_number(value, "type"));
  TRY(version, read_number(value, "version"));
  const wire::MessageInfo* info = find_record(type);
  if (!info) return fail(Errc::unsupported, fmt::format("metadata records of type {}", type));
  if (version > static_cast<uint32_t>(info->max_version))
    return fail(Errc::unsupported, fmt::format("{} of version {}; {} is the highest known here",
                                               info->name, version, info->max_version));
  return RecordHead{static_cast<int16_t>(type), static_cast<int16_t>(version), value};
}

std::vector<uint8_t> write_any_record(const wire::MessageInfo& info, const void* message,
                                      int16_t version) {
  Chain chain;
  wire::encode_any(info, message, version, chain);
  std::vector<uint8_t> body = chain.flatten();
  std::vector<uint8_t> out;
  for (int32_t number : {int32_t{kFrameVersion}, int32_t{info.api_key}, int32_t{version}}) {
    uint8_t buffer[kMaxVarint32];
    size_t size = write_varint(buffer, static_cast<uint32_t>(number));
    out.insert(out.end(), buffer, buffer + size);
  }
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

}  // namespace moldau::metadata
