#include "broker/api/fetch_old.h"

#include "host/disk.h"
#include "wire/down_convert.h"

namespace moldau::broker {

namespace {

// All pieces behind each other, in memory.
host::Task<Result<std::vector<uint8_t>>> gather(log::ReadResult& read) {
  std::vector<uint8_t> all(read.bytes);
  size_t done = 0;
  for (log::ReadPiece& piece : read.pieces) {
    MutableBytes into = MutableBytes(all).subspan(done, piece.length);
    size_t count = piece.length;
    if (piece.file) {
      host::File& file = *piece.file;
      CO_TRY(n, file.read_at(into, piece.position));
      count = n;
    } else {
      std::memcpy(into.data(), piece.bytes.data(), piece.length);
    }
    done += count;
  }
  all.resize(done);
  co_return all;
}

}  // namespace

host::Task<Result<void>> convert_read(log::ReadResult& read, int16_t version, Offset from) {
  constexpr int16_t kFirstOfFormat1 = 2;
  if (read.pieces.empty()) co_return Result<void>();
  CO_TRY(batches, gather(read));
  int8_t magic = version < kFirstOfFormat1 ? 0 : 1;
  wire::Inflater inflater;
  TRY_CO(converted, wire::down_convert(batches, magic, from, inflater));
  read.pieces.clear();
  read.bytes = converted.size();
  if (!converted.empty())
    read.pieces.push_back({.bytes = SharedBytes::copy_of(converted), .length = converted.size()});
  co_return Result<void>();
}

}  // namespace moldau::broker
