// The toy log's protocol: frames of a length and a body, big-endian. Shared by its server and its
// clients.
#pragma once
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "host/network.h"
#include "host/task.h"

namespace moldau::toy {

using Buffer = std::vector<uint8_t>;

constexpr uint16_t kPort = 9000;
constexpr uint8_t kAppend = 1;  // payload -> offset
constexpr uint8_t kFetch = 2;   // offset -> durable end, record or nothing
constexpr size_t kMaxFrame = 64 * 1024;

template <std::integral T>
void put(Buffer& out, T value) {
  out.resize(out.size() + sizeof value);
  store_be(out.data() + out.size() - sizeof value, value);
}
inline void put_bytes(Buffer& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// One frame; closed at the orderly end between two frames. stream outlives the task.
host::Task<Result<Buffer>> read_frame(host::Stream& stream);
host::Task<Result<void>> write_frame(host::Stream& stream, Buffer body);

}  // namespace moldau::toy
