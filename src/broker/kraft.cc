#include "broker/kraft.h"

#include <fmt/format.h>

#include "broker/config.h"
#include "broker/format.h"
#include "log/log_dir.h"
#include "metadata/features.h"

namespace moldau::broker {

using host::Task;

namespace {

raft::Driver::Options raft_options(const BrokerConfig& config, const Kraft::Place& place) {
  const KraftConfig& kraft = config.kraft;
  raft::Driver::Options options;
  options.config.local = {config.node_id, place.directory_id};
  options.config.cluster_id = place.cluster_id;
  options.config.endpoints = kraft.controller_endpoints;
  options.config.election_timeout = kraft.election_timeout;
  options.config.fetch_timeout = kraft.fetch_timeout;
  options.config.request_timeout = kraft.request_timeout;
  options.config.retry_backoff = kraft.retry_backoff;
  options.config.election_backoff_max = kraft.election_backoff_max;
  raft::VoterSet voters = kraft.static_voters;
  if (voters.empty() && kraft.alone)
    voters = raft::VoterSet({{{config.node_id, {}}, kraft.controller_endpoints, 0, 1}});
  options.voters = raft::VoterHistory(voters, 0);
  options.log.segment_bytes = kraft.segment_bytes;
  options.log.segment_millis = kraft.segment_millis;
  return options;
}

metadata::DriverConfig metadata_config(const BrokerConfig& config, const Kraft::Place& place,
                                       metadata::Features bootstrap) {
  const KraftConfig& kraft = config.kraft;
  return {.settings = {.node = config.node_id,
                       .cluster_id = place.cluster_id,
                       .partitions = config.num_partitions,
                       .min_insync_replicas = kraft.min_insync_replicas,
                       .unclean_leader_election = kraft.unclean_leader_election},
          .bootstrap = std::move(bootstrap),
          .session_timeout = kraft.session_timeout,
          .max_idle = kraft.max_idle,
          .snapshot_bytes = kraft.snapshot_bytes,
          .snapshot_interval = kraft.snapshot_interval};
}

// Without a network of replicas we can only be the whole quorum.
Result<void> check_voters(const raft::VoterHistory& voters, const raft::ReplicaKey& us) {
  const raft::VoterSet& set = voters.voters();
  if (set.size() == 1 && set.contains(us)) return {};
  if (set.empty())
    return fail(Errc::invalid,
                "the data directory does not say who leads the cluster: set "
                "controller.quorum.voters to this node, or format it with --standalone");
  if (set.size() == 1)
    return fail(
        Errc::invalid,
        fmt::format("the quorum is node {}, and we are node {} with the directory {}. Start "
                    "with its node.id and its disk, or format another directory",
                    set.voters().front().key.id, us.id, us.directory.to_string()));
  return fail(
      Errc::unsupported,
      fmt::format("the quorum has {} voters: more than this node is not there yet", set.size()));
}

}  // namespace

Task<Result<void>> Kraft::lead(const BrokerConfig& config, Uuid incarnation) {
  CO_TRY_(metadata_->wait_to_lead());
  Offset end = raft_->core().high_watermark();
  CO_TRY_(metadata_->wait_for(end));
  metadata::RegisterController us{{.id = config.node_id,
                                   .incarnation = incarnation,
                                   .features = metadata::supported_features()}};
  for (const raft::Endpoint& one : config.kraft.controller_endpoints)
    us.controller.endpoints.push_back({one.name, one.host, one.port, 0});
  Result<metadata::Verdict> registered = co_await metadata_->ask(std::move(us));
  if (!registered) co_return std::move(registered.error());
  if (registered->good()) co_return Result<void>();
  co_return fail(Errc::refused, "the controller is not registered: " + registered->text);
}

Task<Result<std::unique_ptr<Kraft>>> Kraft::open(host::Env& env, const BrokerConfig& config,
                                                 Place place, host::Logger& logger) {
  std::string directory = place.dir.path();
  CO_TRY(bootstrap, read_bootstrap(env, directory));
  auto kraft = std::make_unique<Kraft>();
  raft::Driver::Options options = raft_options(config, place);
  raft::ReplicaKey us = options.config.local;
  log::LogDir& dir = place.dir;
  CO_TRY(replica, raft::Driver::open(env, dir, std::move(options)));
  kraft->raft_ = std::move(replica);
  Result<void> ready = check_voters(kraft->raft_->core().voters(), us);
  if (ready) {
    raft::Driver& raft = *kraft->raft_;
    metadata::DriverConfig wanted = metadata_config(config, place, std::move(bootstrap));
    auto opened = co_await metadata::Driver::open(env, raft, std::move(wanted), logger);
    if (opened) {
      kraft->metadata_ = std::move(*opened);
      ready = co_await kraft->lead(config, place.incarnation);
    } else {
      ready = std::move(opened.error());
    }
  }
  if (ready) co_return std::move(kraft);
  (void)co_await kraft->close();
  co_return std::move(ready.error()).in(directory);
}

std::optional<Error> Kraft::failure() const {
  if (metadata_->failure()) return metadata_->failure();
  return raft_->failure();
}

Task<Result<void>> Kraft::close() {
  if (metadata_) co_await metadata_->stop();
  Result<void> closed = co_await raft_->close();
  metadata_.reset();
  raft_.reset();
  co_return closed;
}

}  // namespace moldau::broker
