// Reads through Log: what finding a place costs, and the bytes by read and by sendfile.
#include <cstring>

#include "host/posix/file.h"
#include "log/log.h"
#include "measure.h"
#include "wire/record_batch_builder.h"

namespace moldau::bench {
namespace {

using host::Task;

constexpr size_t kTotal = size_t{512} << 20;
constexpr size_t kFetch = size_t{1} << 20;
constexpr int kRecords = 16;

struct Reading {
  Reading(host::posix::System& s) : system(s), env(s.env(0)) {}
  host::posix::System& system;
  host::Env& env;
  std::unique_ptr<log::LogDir> dir;
  std::unique_ptr<log::Log> log;
  size_t batch_size = 0;
};

Task<void> fill(Reading& r, std::string path) {
  log::LogDirConfig dir_config;
  log::LogConfig config{.flush = log::Flush::async};
  auto dir = co_await log::LogDir::open(r.env, path, dir_config);
  if (!dir) give_up(dir.error().to_string());
  r.dir = std::move(*dir);
  auto opened = co_await log::Log::open(r.env, *r.dir, "bench-0", config);
  if (!opened) give_up(opened.error().to_string());
  r.log = std::move(*opened);
  wire::RecordBatchBuilder builder;
  std::vector<uint8_t> value(1024, 'v');
  for (int i = 0; i < kRecords; i++) builder.add(1'700'000'000'000, std::nullopt, value);
  std::vector<uint8_t> batch = builder.finish();
  r.batch_size = batch.size();
  for (size_t at = 0; at < kTotal; at += batch.size()) {
    BlockRef block = BlockRef::allocate(batch.size());
    memcpy(block.data(), batch.data(), batch.size());
    MutableBytes bytes(block.data(), batch.size());
    if (!r.log->append(std::move(block), bytes, LeaderEpoch(0), WallTime{0}))
      give_up("cannot append");
    if (at % (16 * batch.size()) == 0) co_await r.log->write_out(r.env);
  }
  co_await r.log->write_out(r.env);
}

enum class How : uint8_t { find, copy, send };

// All of it, a fetch of 1 MiB after the other. The number of bytes.
Task<void> read_through(Reading& r, How how, SendTarget* target, size_t& bytes) {
  std::vector<uint8_t> copy(kFetch);
  log::Offsets offsets = r.log->offsets();
  for (Offset at(0); at < offsets.end;) {
    log::ReadRequest request{.from = at, .max_bytes = kFetch, .limit = offsets.end};
    auto found = co_await r.log->read(r.env, request);
    if (!found || found->bytes == 0) give_up("cannot read");
    for (const log::ReadPiece& piece : found->pieces) {
      if (!piece.file || how == How::find) continue;
      MutableBytes into(copy.data(), piece.length);
      if (how == How::copy) {
        auto copied = co_await piece.file->read_at(into, piece.position);
        if (!copied) give_up("cannot read");
      }
      if (how == How::send)
        target->send(static_cast<host::posix::File&>(*piece.file).descriptor()->get(),
                     piece.position, piece.length);
    }
    size_t whole = found->bytes / r.batch_size;
    bytes += whole * r.batch_size;
    at = at + static_cast<int64_t>(whole) * kRecords;
  }
}

Task<void> read_tail(Reading& r, int times) {
  log::Offsets offsets = r.log->offsets();
  log::ReadRequest request{
      .from = offsets.end - kRecords, .max_bytes = kFetch, .limit = offsets.end};
  for (int i = 0; i < times; i++) {
    auto found = co_await r.log->read(r.env, request);
    if (!found || found->bytes == 0) give_up("cannot read the tail");
  }
}

Task<void> close(Reading& r) {
  Result<void> closed = co_await r.log->close(r.env);
  if (closed) closed = co_await r.dir->close(-1);
  if (!closed) give_up("no orderly end");
  r.log.reset();
  r.dir.reset();
}

}  // namespace

void measure_reads(const Folder& folder, const Raw& raw) {
  auto system = make_system();
  Reading r(*system);
  run(*system, fill(r, folder.sub("read")));
  printf("read, 1 KiB records, fetches of 1 MiB      GB/s   of raw   us/fetch\n");
  struct Way {
    How how;
    const char* name;
    double raw;
  };
  for (const Way& way :
       {Way{How::find, "only finding the place", 0}, Way{How::copy, "read", raw.read},
        Way{How::send, "sendfile to loopback TCP", raw.sendfile}}) {
    SendTarget target;
    size_t bytes = 0;
    Watch watch;
    run(*system, read_through(r, way.how, &target, bytes));
    double wall = watch.wall();
    double rate = static_cast<double>(bytes) / wall * 1e-9;
    double fetches = static_cast<double>(bytes) / static_cast<double>(kFetch);
    if (way.how == How::find)
      printf("%-40s       -        -     %6.1f\n", way.name, wall * 1e6 / fetches);
    else
      printf("%-40s  %6.2f   %4.0f %%     %6.1f\n", way.name, rate, 100 * rate / way.raw,
             wall * 1e6 / fetches);
  }
  constexpr int kTimes = 1'000'000;
  Watch watch;
  run(*system, read_tail(r, kTimes));
  printf("%-40s       -        -     %6.2f\n\n", "the last batch, from memory",
         watch.wall() * 1e6 / kTimes);
  run(*system, close(r));
}

}  // namespace moldau::bench
