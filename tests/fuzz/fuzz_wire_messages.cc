// Any bytes as any message. Bytes 0 and 1 choose the message, byte 2 the version, the rest is
// decoded. What decodes must print, survive encoding and decoding again, and have cost no more
// memory than the bytes pay for.
#include "base/check.h"
#include "wire/fill.h"
#include "wire/frame.h"

namespace moldau::wire {
namespace {

constexpr size_t kFactor = 64, kMessage = 1024;

void decode_twice(const MessageInfo& info, int16_t version, Bytes in) {
  Arena arena;
  void* first = make_default(info, arena);
  bool decoded = decode_into(info, first, in, version, arena).has_value();
  CHECK(arena.bytes_used() <= in.size() * kFactor + kMessage, "{} v{}: {} bytes for {}", info.name,
        version, arena.bytes_used(), in.size());
  if (!decoded) return;
  CHECK(!print_any(info, first, version).empty());
  Chain chain;
  encode_any(info, first, version, chain);
  std::vector<uint8_t> bytes = chain.flatten();
  CHECK(bytes.size() == encoded_size(info, first, version));
  void* second = make_default(info, arena);
  Bytes rest;
  Result<void> again = decode_into(info, second, bytes, version, arena, &rest);
  CHECK(again, "{} v{}: {}", info.name, version, again.error().to_string());
  CHECK(rest.empty() && info.same(first, second), "{} v{}", info.name, version);
}

void decode_frame(Bytes in) {
  Arena arena;
  Result<RequestStart> start = decode_request_start(in, arena);
  if (start && start->version_known())
    decode_twice(*start->api->request, start->header.request_api_version, start->body);
}

}  // namespace
}  // namespace moldau::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau::wire;
  if (size < 3) return 0;
  moldau::Bytes in(data + 3, size - 3);
  auto messages = all_messages();
  size_t choice = (data[0] + 256u * data[1]) % (messages.size() + 1);
  if (choice == messages.size()) {
    decode_frame(in);
    return 0;
  }
  const MessageInfo& info = *messages[choice];
  decode_twice(
      info,
      static_cast<int16_t>(info.min_version + data[2] % (info.max_version - info.min_version + 1)),
      in);
  return 0;
}
