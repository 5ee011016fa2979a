// The bytes are the contents of a segment file that a crash left. Recovery never stops the process,
// keeps whole valid batches only, does the same when it is run again, and what it keeps can be
// read. Links moldau_log.
#include <cstdlib>

#include "base/crc32c.h"
#include "log/log.h"
#include "log/test_world.cc"  // the disk in memory; belongs to no library

namespace moldau::log {
namespace {

constexpr const char* kFile = "data/topic-0/00000000000000000000.log";

const LogDirConfig kDirConfig;
const LogConfig kConfig{.index_interval_bytes = 100};

void require(bool holds) {
  if (!holds) abort();
}

struct Outcome {
  bool opened = false;
  Offset end;
};

host::Task<void> open_and_read(host::Env& env, Outcome& outcome) {
  auto dir = co_await LogDir::open(env, "data", kDirConfig);
  require(dir.has_value());
  auto opened = co_await Log::open(env, **dir, "topic-0", kConfig);
  if (!opened) co_return;
  Log& log = **opened;
  outcome.opened = true;
  outcome.end = log.offsets().end;
  ReadRequest request{.from = log.offsets().start, .max_bytes = 1 << 20, .limit = outcome.end};
  auto read = co_await log.read(env, request);
  require(read.has_value());
  WallTime one{1};
  auto found = co_await log.find_timestamp(env, one);
  require(found.has_value());
  Result<void> closed = co_await log.close(env);
  require(closed.has_value());
}

Outcome recover_once(TestDisk& disk) {
  TestWorld world(disk);
  Outcome outcome;
  require(world.run(open_and_read(world.env, outcome)));
  return outcome;
}

void whole_batches_only(Bytes file) {
  while (!file.empty()) {
    require(file.size() >= 61);
    int64_t size = int64_t{load_be<int32_t>(file.data() + 8)} + 12;
    require(size >= 61 && size <= std::ssize(file) && file[16] == 2);
    Bytes batch = file.first(static_cast<size_t>(size));
    require(crc32c(batch.subspan(21)) == load_be<uint32_t>(batch.data() + 17));
    file = file.subspan(static_cast<size_t>(size));
  }
}

// Random bytes never have the right checksum: with this set, the checksums of what looks like
// batches are made right.
void repair_checksums(std::vector<uint8_t>& file) {
  for (size_t at = 0; at + 61 <= file.size();) {
    int64_t size = int64_t{load_be<int32_t>(file.data() + at + 8)} + 12;
    if (size < 61 || size > std::ssize(file) - static_cast<int64_t>(at)) return;
    Bytes covered(file.data() + at + 21, static_cast<size_t>(size) - 21);
    store_be(file.data() + at + 17, crc32c(covered));
    at += static_cast<size_t>(size);
  }
}

}  // namespace
}  // namespace moldau::log

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau;
  using namespace moldau::log;
  if (size == 0) return 0;
  std::vector<uint8_t> content(data + 1, data + size);
  if (data[0] & 1) repair_checksums(content);
  TestDisk disk;
  disk.directories = {"data", "data/topic-0"};
  disk.names[kFile] = disk.durable_names[kFile] = std::make_shared<TestDisk::Inode>();
  disk.file(kFile) = content;
  Outcome first = recover_once(disk);
  if (!first.opened) return 0;
  std::vector<uint8_t> kept = disk.file(kFile);
  require(kept.size() <= content.size() && equal(kept, Bytes(content).first(kept.size())));
  whole_batches_only(kept);
  disk.lose_power();
  Outcome second = recover_once(disk);
  require(second.opened && second.end == first.end && disk.file(kFile) == kept);
  return 0;
}
