#include "net/outgoing.h"

#include <algorithm>
#include <array>

#include "host/buffer_pool.h"
#include "host/disk.h"
#include "host/network.h"

namespace moldau::net {
namespace {

constexpr size_t kParts = 64;  // of one vectored send
constexpr size_t kCopyBelow =
    32 * 1024;  // sendfile pays from here on (below it a copy costs less CPU)

// Gathers memory, holds it, and sends it in batches.
class Gatherer {
 public:
  explicit Gatherer(host::Stream& stream) : stream_(stream) {}
  bool full() const { return count_ == kParts; }
  void add(SharedBytes part) {
    parts_[count_] = part.bytes();
    held_[count_++] = std::move(part);
  }

  // more: something else follows at once.
  host::Task<Result<void>> flush(bool more) {
    size_t first = 0;
    while (first < count_) {
      std::span<const Bytes> rest(parts_.data() + first, count_ - first);
      Result<size_t> sent = co_await stream_.send(rest, more);
      if (!sent) co_return std::move(sent.error());
      size_t n = *sent;
      while (first < count_ && n >= parts_[first].size()) n -= parts_[first++].size();
      if (first < count_) parts_[first] = parts_[first].subspan(n);
    }
    while (count_ > 0) held_[--count_] = {};
    co_return Result<void>();
  }

 private:
  host::Stream& stream_;
  std::array<Bytes, kParts> parts_;
  std::array<SharedBytes, kParts> held_;
  size_t count_ = 0;
};

Error file_ends_early() {
  return fail(Errc::io, "a log file ends before the range that was to be sent");
}

host::Task<Result<void>> send_file_range(host::Stream& stream, const host::File& file,
                                         int64_t position, size_t length) {
  while (length > 0) {
    Result<size_t> sent = co_await stream.send_file(file, position, length);
    if (!sent) co_return std::move(sent.error());
    if (*sent == 0) co_return file_ends_early();
    position += static_cast<int64_t>(*sent);
    length -= *sent;
  }
  co_return Result<void>();
}

host::Task<Result<SharedBytes>> read_range(host::BufferPool& pool, host::File& file,
                                           int64_t position, size_t length) {
  BlockRef block = pool.get(length);
  MutableBytes into(block.data(), length);
  Result<size_t> n = co_await file.read_at(into, position);
  if (!n) co_return std::move(n.error());
  if (*n < length) co_return file_ends_early();
  co_return SharedBytes(std::move(block), into);
}

}  // namespace

host::Task<Result<void>> send_all(host::Stream& stream, host::BufferPool& pool,
                                  std::vector<Outgoing> messages) {
  Gatherer out(stream);
  for (Outgoing& message : messages) {
    for (Chain::Piece& piece : message.chain.take()) {
      if (piece.length == 0) continue;
      if (out.full()) CO_TRY_(out.flush(true));
      if (piece.file < 0) {
        out.add(std::move(piece.bytes));
        continue;
      }
      auto& file = const_cast<host::File&>(*message.files[static_cast<size_t>(piece.file)]);
      if (piece.length >= kCopyBelow) {
        CO_TRY_(out.flush(true));
        CO_TRY_(send_file_range(stream, file, piece.position, piece.length));
      } else {
        CO_TRY(copy, read_range(pool, file, piece.position, piece.length));
        out.add(std::move(copy));
      }
    }
  }
  CO_TRY_(out.flush(false));
  co_return Result<void>();
}

}  // namespace moldau::net
