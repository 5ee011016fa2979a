#include "broker/format.h"

#include "broker/identity.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/whole_file.h"
#include "metadata/features.h"
#include "metadata/loader.h"
#include "metadata/snapshot.h"

namespace moldau::broker {

using host::Task;

namespace {

constexpr const char* kBootstrapFile = "/bootstrap.checkpoint";
constexpr const char* kMetadataLog = "/__cluster_metadata-0";
constexpr const char* kFirstSnapshot = "/00000000000000000000-0000000000.checkpoint";

// Who may vote, in a snapshot before the log's first record.
Task<Result<void>> write_voter(host::Env& env, std::string directory, Uuid id,
                               const FormatPlan& plan) {
  WallTime now = env.clock.wall();
  raft::Voter voter{.key = {plan.node_id, id},
                    .endpoints = plan.controller_endpoints,
                    .min_kraft_version = 0,
                    .max_kraft_version = 1};
  metadata::SnapshotContent first{
      .records = {}, .last_contained = now, .kraft_version = 1, .voters = raft::VoterSet({voter})};
  std::vector<uint8_t> bytes = metadata::write_snapshot(first, now);
  std::string log = directory + kMetadataLog;
  CO_TRY_(env.disk.make_directory(log));
  std::string path = log + kFirstSnapshot;
  std::string content(as_text(bytes));
  co_return co_await host::replace_whole_file(env.disk, path, content);
}

}  // namespace

Task<Result<void>> format_directory(host::Env& env, std::string directory, const FormatPlan& plan) {
  CO_TRY_(env.disk.make_directory(directory));
  MetaProperties meta{.version = 1,
                      .cluster_id = plan.cluster_id,
                      .node_id = plan.node_id,
                      .directory_id = env.entropy.uuid()};
  WallTime now = env.clock.wall();
  std::vector<uint8_t> bytes =
      metadata::write_snapshot({.records = metadata::bootstrap_records(plan.features)}, now);
  std::string content(as_text(bytes)), path = directory + kBootstrapFile;
  CO_TRY_(host::replace_whole_file(env.disk, path, content));
  Uuid id = *meta.directory_id;
  bool votes = plan.standalone && directory == plan.metadata_dir;
  if (votes) CO_TRY_(write_voter(env, directory, id, plan));
  content = meta.print();
  path = directory + "/meta.properties";
  co_return co_await host::replace_whole_file(env.disk, path, content);
}

Task<Result<metadata::Features>> read_bootstrap(host::Env& env, std::string directory) {
  std::string path = directory + kBootstrapFile;
  Result<std::string> content = co_await host::read_whole_file(env.disk, path);
  if (!content && content.error().code() == Errc::not_found)
    co_return metadata::default_features(metadata::kLatestMetadataVersion);
  if (!content) co_return std::move(content.error());
  Result<metadata::Image> image = metadata::read_snapshot(as_bytes(*content), {});
  if (!image) co_return std::move(image.error()).in(path);
  co_return *image->features;
}

}  // namespace moldau::broker
