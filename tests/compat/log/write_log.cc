// write_log DIR [ADD]: writes DIR/moldau-0, a partition of several segments and two leader epochs,
// in our way, for Apache Kafka's programs to look at. With ADD, DIR/moldau-0 is there already (from
// Kafka, say): opens it as after an unclean stop, appends ADD batches, and closes it.
#include <cstdio>
#include <cstdlib>

#include "base/random.h"
#include "files_of.h"
#include "log/log.h"

namespace moldau::log {
namespace {

const LogDirConfig kDirConfig;

host::Task<void> write(host::Env& env, int batches, std::string& error) {
  auto dir = co_await LogDir::open(env, "data", kDirConfig);
  LogConfig config{.segment_bytes = 300'000};
  auto opened = co_await Log::open(env, **dir, "moldau-0", config);
  if (!opened) {
    error = opened.error().to_string();
    co_return;
  }
  Log& log = **opened;
  printf("opened with end offset %lld, cut %lld bytes\n",
         static_cast<long long>(log.offsets().end.value), static_cast<long long>(log.bytes_cut()));
  Random random(1);
  for (int i = 0; i < batches; i++) {
    int records = 1 + static_cast<int>(random.below(20));
    size_t value = random.below(150);
    int64_t time = 1'700'000'000'000 + i * 7 - static_cast<int64_t>(random.below(50));
    Incoming in = incoming(make_batch(records, time, value, random.next()));
    auto appended =
        log.append(in.block, in.bytes, LeaderEpoch(i < batches / 3 ? 4 : 7), WallTime{time});
    if (!appended) error = appended.error().to_string();
    if (i % 5 == 0) co_await log.write_out(env);
  }
  Result<void> closed = co_await log.close(env);
  if (!closed) error = closed.error().to_string();
  printf("closed with end offset %lld\n", static_cast<long long>(log.offsets().end.value));
  closed = co_await (*dir)->close(-1);
  if (!closed) error = closed.error().to_string();
}

}  // namespace
}  // namespace moldau::log

int main(int argc, char** argv) {
  using namespace moldau::log;
  if (argc < 2) return fprintf(stderr, "usage: write_log DIR [ADD]\n"), 2;
  std::string real = argv[1];
  TestDisk disk;
  disk.directories.insert("data");
  if (argc > 2 && !load_files(disk, "data/moldau-0", real + "/moldau-0")) return 1;
  TestWorld world(disk);
  std::string error;
  bool ended = world.run(write(world.env, argc > 2 ? atoi(argv[2]) : 2000, error));
  if (!ended || !error.empty()) return fprintf(stderr, "failed: %s\n", error.c_str()), 1;
  return store_files(disk, "data", real) ? 0 : 1;
}
