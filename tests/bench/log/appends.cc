// Appends through Log, by size of the records and of the batches, with both kinds of durability.
#include <fmt/format.h>

#include <cstring>

#include "log/log.h"
#include "measure.h"
#include "wire/record_batch_builder.h"

namespace moldau::bench {
namespace {

using host::Task;

struct Load {
  const char* name;
  int records;   // of a batch
  size_t value;  // bytes of a record
  size_t total;  // bytes
  log::Flush flush;
};

std::vector<uint8_t> batch_of(const Load& load) {
  wire::RecordBatchBuilder builder;
  std::vector<uint8_t> value(load.value, 'v');
  for (int i = 0; i < load.records; i++) builder.add(1'700'000'000'000, std::nullopt, value);
  return builder.finish();
}

struct Outcome {
  double wall = 0;
  double cpu = 0;
  size_t bytes = 0;
  size_t records = 0;
};

// As a broker does with what many producers send: a block for each batch, writes that are coalesced
// as far as 256 KiB, and at the end the wait for the last one.
Task<void> append_all(host::Env& env, std::string path, const Load& load, Outcome& out) {
  log::LogDirConfig dir_config;
  log::LogConfig config{.flush = load.flush};
  auto dir = co_await log::LogDir::open(env, path, dir_config);
  if (!dir) give_up(dir.error().to_string());
  auto opened = co_await log::Log::open(env, **dir, "bench-0", config);
  if (!opened) give_up(opened.error().to_string());
  log::Log& log = **opened;
  std::vector<uint8_t> batch = batch_of(load);
  constexpr size_t kCoalesced = size_t{256} << 10;
  Watch watch;
  log::Appended last;
  for (size_t pending = 0; out.bytes < load.total;) {
    BlockRef block = BlockRef::allocate(batch.size());
    memcpy(block.data(), batch.data(), batch.size());
    MutableBytes bytes(block.data(), batch.size());
    auto appended = log.append(std::move(block), bytes, LeaderEpoch(0), WallTime{0});
    if (!appended) give_up(appended.error().to_string());
    last = *appended;
    out.bytes += batch.size();
    out.records += static_cast<size_t>(load.records);
    pending += batch.size();
    if (pending < kCoalesced) continue;
    pending = 0;
    co_await log.write_out(env);
  }
  co_await log.write_out(env);
  while (log.state(last) == log::AppendState::pending) co_await env.loop.sleep(microseconds(50));
  out.wall = watch.wall();
  out.cpu = watch.cpu();
  Result<void> closed = co_await log.close(env);
  if (closed) closed = co_await (*dir)->close(-1);
  if (!closed) give_up("no orderly end");
}

}  // namespace

void measure_appends(const Folder& folder, const Raw& raw) {
  constexpr size_t k = size_t{1} << 20;
  const Load loads[] = {
      {"100 B records, 1 in a batch", 1, 100, 64 * k, log::Flush::async},
      {"100 B records, 150 in a batch", 150, 100, 512 * k, log::Flush::async},
      {"1 KiB records, 16 in a batch", 16, 1024, 512 * k, log::Flush::async},
      {"1 KiB records, 1000 in a batch", 1000, 1024, 512 * k, log::Flush::async},
      {"100 B records, 150 in a batch", 150, 100, 256 * k, log::Flush::ack},
      {"1 KiB records, 16 in a batch", 16, 1024, 256 * k, log::Flush::ack},
      {"1 KiB records, 1000 in a batch", 1000, 1024, 256 * k, log::Flush::ack},
  };
  printf(
      "append                            flush    GB/s  of raw write  ns/record   CPU ns/record\n");
  for (const Load& load : loads) {
    auto system = make_system();
    Outcome out;
    run(*system, append_all(system->env(0), folder.sub("append"), load, out));
    double rate = static_cast<double>(out.bytes) / out.wall * 1e-9;
    bool ack = load.flush == log::Flush::ack;
    printf("%-32s  %-5s  %6.2f        %5.0f %%     %6.0f          %6.0f\n", load.name,
           ack ? "ack" : "async", rate, 100 * rate / raw.write,
           out.wall * 1e9 / static_cast<double>(out.records),
           out.cpu * 1e9 / static_cast<double>(out.records));
    fflush(stdout);
  }
  printf("(a CRC-32C over all of it would take %.0f %% of the raw write)\n\n",
         100 * raw.write / raw.crc);
}

}  // namespace moldau::bench
