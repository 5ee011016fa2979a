// compact_log DIR: writes DIR/moldau-0, a compacted partition: keyed records, tombstones, several
// segments, cleaned in rounds. For Apache Kafka's programs to look at. Prints how many records were
// written and how many keys have a value.
#include <cstdio>
#include <map>

#include "base/random.h"
#include "files_of.h"
#include "log/cleaner.h"
#include "wire/record_batch_builder.h"

namespace moldau::log {
namespace {

const LogDirConfig kDirConfig;

constexpr CleanPolicy kCompact{.compact = true,
                               .min_dirty_ratio = 0,
                               .delete_retention_millis = 100'000,
                               .segment_bytes = 300'000};

struct Written {
  int64_t records = 0;
  std::map<std::string, bool> keys;  // true: its newest record has a value
  std::string error;
};

std::vector<uint8_t> next_batch(Random& random, Written& written) {
  wire::RecordBatchBuilder builder;
  uint64_t count = 1 + random.below(20);
  for (uint64_t i = 0; i < count; i++) {
    std::string key = "key-" + std::to_string(random.below(500));
    std::string value(random.below(150), 'v');
    bool tombstone = random.one_in(8);
    wire::NullableBytes bytes;
    if (!tombstone) bytes = as_bytes(value);
    builder.add(1'700'000'000'000 + written.records++, as_bytes(key), bytes);
    written.keys[key] = !tombstone;
  }
  return builder.finish();
}

host::Task<void> write(host::Env& env, Written& written) {
  auto dir = co_await LogDir::open(env, "data", kDirConfig);
  LogConfig config{.segment_bytes = 300'000, .clean = kCompact};
  auto opened = co_await Log::open(env, **dir, "moldau-0", config);
  Log& log = **opened;
  Random random(1);
  CleanerConfig cleaner_config{.delete_delay = milliseconds(1)};
  Cleaner cleaner(env, cleaner_config);
  cleaner.add(log);
  OffsetMap map({.bytes = 1 << 20}, {1, 2});
  for (int i = 0; i < 2000; i++) {
    Incoming in = incoming(next_batch(random, written));
    auto appended = log.append(in.block, in.bytes, LeaderEpoch(i < 700 ? 4 : 7), env.clock.wall());
    if (!appended) written.error = appended.error().to_string();
    if (i % 5 == 0) co_await log.write_out(env);
    if (i % 600 != 599) continue;
    co_await env.loop.sleep(milliseconds(10));
    bool cleaned = co_await cleaner.clean_dirtiest(map);
    if (!cleaned) written.error = "not cleaned: " + cleaner.stats().last_error;
  }
  co_await env.loop.sleep(milliseconds(10));
  co_await cleaner.remove(env, log);
  co_await cleaner.stop();
  Result<void> closed = co_await log.close(env);
  if (!closed) written.error = closed.error().to_string();
  closed = co_await (*dir)->close(-1);
  if (!closed) written.error = closed.error().to_string();
}

}  // namespace
}  // namespace moldau::log

int main(int argc, char** argv) {
  using namespace moldau::log;
  if (argc != 2) return fprintf(stderr, "usage: compact_log DIR\n"), 2;
  TestDisk disk;
  disk.directories.insert("data");
  TestWorld world(disk);
  Written written;
  bool ended = world.run(write(world.env, written));
  if (!ended || !written.error.empty())
    return fprintf(stderr, "failed: %s\n", written.error.c_str()), 1;
  long long values = 0;
  for (const auto& [key, has_value] : written.keys) values += has_value;
  printf("records %lld values %lld\n", static_cast<long long>(written.records), values);
  return store_files(disk, "data", argv[1]) ? 0 : 1;
}
