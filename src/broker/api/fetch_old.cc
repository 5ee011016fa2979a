#include "broker/api/fetch_old.h"

#include "wire/down_convert.h"

namespace moldau::broker {

host::Task<Result<void>> convert_read(log::ReadResult& read, int16_t version, Offset from) {
  constexpr int16_t kFirstOfFormat1 = 2;
  if (read.pieces.empty()) co_return Result<void>();
  CO_TRY(batches, log::gather(read));
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
