// Any bytes as the log of a partition of __consumer_offsets, and as one record of it: what is taken
// makes groups that can be looked at, wait and expire, and a record that is written again is the
// same.
#include "base/check.h"
#include "coordinator/driver_load.h"
#include "repair.h"

namespace moldau::coordinator {
namespace {

void write_again(Bytes in) {
  if (in.size() < 2) return;
  size_t key = std::min<size_t>(load_be<uint16_t>(in.data()), in.size() - 2);
  auto record = group::decode_record(in.subspan(2, key), in.subspan(2 + key));
  if (!record || !*record) return;
  // Of these only tombstones are written: what they say is read from the topics now.
  if (std::holds_alternative<group::OldTopicsRecord>(**record)) return;
  group::RecordBytes bytes = group::encode_record(**record);
  std::optional<Bytes> value;
  if (bytes.value) value = Bytes(*bytes.value);
  auto again = group::decode_record(bytes.key, value);
  CHECK(again && *again);
  CHECK(**again == **record);
}

void load(Bytes in) {
  group::GroupCore core{group::GroupConfig()};
  Loading loading;
  if (!load_batches(core, in, loading)) return;
  group::Moment now{Instant{1}, WallTime{1'700'000'000'000}};
  core.loaded(now);
  for (const group::ListedGroup& one : core.list()) (void)core.describe(one.id);
  now.now = now.now + seconds(2'000'000);
  core.tick(now);
  core.expire_offsets(now.wall);
  core.unload(wire::ErrorCode::not_coordinator);
  CHECK(core.list().empty());
}

}  // namespace
}  // namespace moldau::coordinator

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  moldau::coordinator::write_again(moldau::Bytes(data, size));
  std::vector<uint8_t> set(data, data + size);
  moldau::wire::repair(set);
  moldau::coordinator::load(set);
  return 0;
}
