// lead_log DIR N: our replica, node 1 and the only voter, leads the metadata log whose files stand
// in DIR (Kafka's, say), appends N records that do nothing, and stops in order. Prints its epoch,
// where the log ended before and where it ends now.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "files_of.h"
#include "log/log_dir.h"
#include "raft/driver.h"
#include "wire/record_batch_builder.h"

namespace moldau::raft {
namespace {

using host::Env;
using host::Task;

struct Outcome {
  std::string said;
  std::string error;
};

// A NoOpRecord: frame 1, type 20, version 0, no tagged fields.
std::vector<uint8_t> no_op(int64_t millis) {
  constexpr std::array<uint8_t, 4> kRecord{1, 20, 0, 0};
  wire::RecordBatchBuilder builder;
  builder.add(millis, std::nullopt, Bytes(kRecord));
  return builder.finish();
}

Task<Result<void>> append_one(Env& env, Driver& driver) {
  TRY_CO(appended, driver.append(no_op(env.clock.wall().millis)));
  co_return co_await driver.wait_committed(appended, kNever);
}

Task<Result<std::string>> lead(Env& env, log::LogDir& dir, int records, Uuid directory) {
  Driver::Options options;
  options.config.local = {BrokerId(1), directory};
  Voter self{{BrokerId(1), {}}, {{"CONTROLLER", "127.0.0.1", 1}}, 0, 1};
  if (directory.is_zero()) options.voters = VoterHistory(VoterSet({self}), 0);
  CO_TRY(opened, Driver::open(env, dir, std::move(options)));
  Driver& driver = *opened;
  host::WaitSet changes(env.loop);
  changes.watch(driver.moved());
  while (!driver.failure() && !(driver.core().leading() && driver.core().leading()->commits()))
    co_await changes.wait_until(kNever);
  if (driver.failure()) co_return *driver.failure();
  Offset began = driver.core().leading()->epoch_start();
  for (int i = 0; i < records; i++) CO_TRY_(append_one(env, driver));
  std::string said = fmt::format("epoch {} began at {} ended at {}", driver.core().state().epoch,
                                 began, driver.core().high_watermark());
  CO_TRY_(driver.close());
  co_return said;
}

Task<void> run(Env& env, int records, Uuid id, Outcome& outcome) {
  log::LogDirConfig config;
  Result<std::unique_ptr<log::LogDir>> dir = co_await log::LogDir::open(env, "data", config);
  if (!dir) {
    outcome.error = dir.error().to_string();
    co_return;
  }
  log::LogDir& directory = **dir;
  Result<std::string> said = co_await lead(env, directory, records, id);
  if (said)
    outcome.said = *said;
  else
    outcome.error = said.error().to_string();
  Result<void> closed = co_await directory.close(0);
  if (!closed && outcome.error.empty()) outcome.error = closed.error().to_string();
}

int main_of(const std::string& folder, int records, Uuid id) {
  const std::string log = "data/__cluster_metadata-0";
  log::TestDisk disk;
  log::load_files(disk, log, folder);
  log::TestWorld world(disk);
  Outcome outcome;
  bool ended = world.run(run(world.env, records, id, outcome));
  if (!ended) outcome.error = "it waits for ever";
  bool stored = outcome.error.empty() && log::store_tree(disk, log, folder);
  fmt::print("{}\n", stored ? outcome.said : "error: " + outcome.error);
  return stored ? 0 : 1;
}

}  // namespace
}  // namespace moldau::raft

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  auto id = moldau::Uuid::parse(argc > 3 ? argv[3] : "AAAAAAAAAAAAAAAAAAAAAA");
  return id ? moldau::raft::main_of(argv[1], atoi(argv[2]), *id) : 2;
}
