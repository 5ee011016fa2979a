// How long a broker takes from nothing to serving, with many nearly empty partitions, after a clean
// stop; and how long that stop takes.
#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "broker/server.h"
#include "host/logging.h"
#include "log/log.h"
#include "measure.h"
#include "metadata/features.h"
#include "metadata/snapshot.h"
#include "wire/record_batch_builder.h"

namespace moldau::bench {
namespace {

using host::Task;

// One partition with one small batch, closed in order.
Task<void> make_first(host::Env& env, std::string path) {
  log::LogDirConfig dir_config;
  log::LogConfig config;
  auto dir = co_await log::LogDir::open(env, path, dir_config);
  if (!dir) give_up(dir.error().to_string());
  auto log = co_await log::Log::open(env, **dir, "t-0", config);
  if (!log) give_up(log.error().to_string());
  wire::RecordBatchBuilder builder;
  builder.add(1'700'000'000'000, std::nullopt, as_bytes("a value"));
  std::vector<uint8_t> batch = builder.finish();
  BlockRef block = BlockRef::allocate(batch.size());
  memcpy(block.data(), batch.data(), batch.size());
  MutableBytes bytes(block.data(), batch.size());
  if (!(*log)->append(std::move(block), bytes, LeaderEpoch(0), WallTime{0})) give_up("no append");
  Result<void> closed = co_await (*log)->close(env);
  if (closed) closed = co_await (*dir)->close(-1);
  if (!closed) give_up("no orderly end");
}

void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

// A cluster with that topic, as the snapshot that its metadata log begins behind.
void write_metadata(const std::string& path, const Uuid& topic, int partitions) {
  metadata::Topic made{.name = "t", .id = topic};
  for (int i = 0; i < partitions; i++)
    made.partitions[i] = {
        .replicas = {1}, .directories = {metadata::kUnassignedDirectory}, .isr = {1}};
  metadata::Topics topics;
  topics.by_name["t"] = topic;
  topics.by_id[topic] = std::make_shared<const metadata::Topic>(std::move(made));
  metadata::Image image;
  image.features = std::make_shared<const metadata::Features>(
      metadata::default_features(metadata::kLatestMetadataVersion));
  image.topics = std::make_shared<const metadata::Topics>(std::move(topics));
  std::vector<uint8_t> bytes =
      metadata::write_snapshot({.records = metadata::image_records(image)}, WallTime{0});
  std::filesystem::create_directory(path + "/__cluster_metadata-0");
  write_text(path + "/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint",
             std::string(as_text(bytes)));
}

// The others are copies of it.
void make_all(const std::string& path, int partitions) {
  Uuid topic{{1, 2, 3}};
  write_text(path + "/t-0/partition.metadata",
             fmt::format("version: 0\ntopic_id: {}\n", topic.to_string()));
  write_metadata(path, topic, partitions);
  std::string points = fmt::format("0\n{}\n", partitions);
  for (int i = 0; i < partitions; i++) {
    points += fmt::format("t {} 1\n", i);
    if (i > 0) std::filesystem::copy(path + "/t-0", fmt::format("{}/t-{}", path, i));
  }
  for (const char* name : {"recovery-point-offset-checkpoint", "replication-offset-checkpoint"})
    write_text(path + "/" + name, points);
}

int open_descriptors() {
  int count = 0;
  DIR* all = opendir("/proc/self/fd");
  while (all && readdir(all)) count++;
  if (all) closedir(all);
  return count;
}

double resident_mib() {
  std::ifstream in("/proc/self/statm");
  double total = 0, resident = 0;
  in >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

struct Discard final : host::LogSink {
  void write(std::string_view) override {}
};

Task<void> start_and_stop(host::Env& env, std::string path, int partitions) {
  host::LogConfig levels(host::LogLevel::warn);
  Discard sink;
  host::LogTarget target{levels, sink, env.clock, host::LogFormat::text};
  broker::BrokerConfig config;
  config.listen = {*host::IpAddress::parse("127.0.0.1"), 0};
  config.log_dirs = {path};
  config.kraft.static_voters = raft::VoterSet({{{config.node_id, {}}, {}, 0, 1}});
  double before = resident_mib();
  Watch watch;
  auto started = co_await broker::Server::start(env, config, target);
  if (!started) give_up(started.error().to_string());
  double wall = watch.wall();
  double cpu = watch.cpu();
  if (static_cast<int>((*started)->partitions()) != partitions) give_up("not all are there");
  int descriptors = open_descriptors();
  double resident = resident_mib() - before;
  Watch stop;
  Result<void> stopped = co_await (*started)->stop();
  if (!stopped) give_up(stopped.error().to_string());
  printf("%10d  %8.3f s  %8.3f s  %9.1f us  %8.3f s   %6d      %6.1f MiB\n", partitions, wall, cpu,
         wall * 1e6 / partitions, stop.wall(), descriptors, resident);
}

}  // namespace

void measure_open(const Folder& folder, int partitions) {
  std::string path = folder.sub("open");
  {
    auto system = make_system();
    run(*system, make_first(system->env(0), path));
  }
  make_all(path, partitions);
  printf("partitions   start       CPU      per partition    stop   descriptors    memory\n");
  for (int i = 0; i < 3; i++) {
    auto system = make_system();
    run(*system, start_and_stop(system->env(0), path, partitions));
    fflush(stdout);
  }
}

}  // namespace moldau::bench
