// Any bytes as a stored record set that an old consumer asks for: what comes out is a message set
// that can be read, with no more records than went in.
#include "base/check.h"
#include "repair.h"
#include "wire/down_convert.h"

namespace moldau::wire {
namespace {

size_t count(Bytes set, Inflater& inflater, bool expect_whole) {
  size_t records_seen = 0;
  SetWalk walk(set, BatchWalk::Torn::tolerate);
  while (walk.next()) {
    BatchRecords records(inflater);
    Result<void> opened = records.open(walk.batch());
    if (!opened) continue;
    while (records.next()) records_seen++;
  }
  if (expect_whole) CHECK(walk.finish(), "{}", walk.finish().error().to_string());
  return records_seen;
}

void convert(Bytes set, int8_t magic, Offset from) {
  static Inflater inflater({.ratio = 16, .least = size_t{1} << 20});
  auto out = down_convert(set, magic, from, inflater);
  if (!out) return;
  CHECK(count(*out, inflater, true) <= count(set, inflater, false));
  SetWalk walk(*out, BatchWalk::Torn::tolerate);
  while (walk.next()) CHECK(walk.batch().magic <= magic);
}

}  // namespace
}  // namespace moldau::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau::wire;
  if (size < 2) return 0;
  std::vector<uint8_t> set(data + 2, data + size);
  int8_t magic = static_cast<int8_t>(data[0] & 1);
  convert(set, magic, moldau::Offset(data[1]));
  repair(set);
  convert(set, magic, moldau::Offset(data[1]));
  return 0;
}
