#include "toy_wire.h"

namespace moldau::toy {
namespace {

host::Task<Result<void>> read_all(host::Stream& stream, MutableBytes into) {
  while (!into.empty()) {
    CO_TRY(n, stream.recv(into));
    if (n == 0) co_return fail(Errc::closed);
    into = into.subspan(n);
  }
  co_return Result<void>();
}

}  // namespace

host::Task<Result<Buffer>> read_frame(host::Stream& stream) {
  Buffer length(4);
  CO_TRY_(read_all(stream, length));
  uint32_t size = load_be<uint32_t>(length.data());
  if (size > kMaxFrame) co_return fail(Errc::too_large);
  Buffer body(size);
  CO_TRY_(read_all(stream, body));
  co_return std::move(body);
}

host::Task<Result<void>> write_frame(host::Stream& stream, Buffer body) {
  Buffer frame;
  put(frame, static_cast<uint32_t>(body.size()));
  put_bytes(frame, body);
  for (Bytes rest = frame; !rest.empty();) {
    std::span<const Bytes> parts(&rest, 1);
    CO_TRY(n, stream.send(parts));
    rest = rest.subspan(n);
  }
  co_return Result<void>();
}

}  // namespace moldau::toy
