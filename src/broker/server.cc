#include "broker/server.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "broker/catalog.h"
#include "broker/format.h"
#include "broker/identity.h"
#include "broker/internal_topics.h"
#include "broker/kraft.h"
#include "broker/maintenance.h"
#include "broker/membership.h"
#include "broker/metadata_catalog.h"
#include "broker/monitoring/http_server.h"
#include "broker/node.h"
#include "broker/offsets_port.h"
#include "broker/services.h"
#include "broker/session.h"
#include "coordinator/driver.h"
#include "host/buffer_pool.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/event.h"
#include "host/logging.h"
#include "host/network.h"
#include "host/scope.h"
#include "log/log_dir.h"
#include "log/log_dirs.h"
#include "metadata/features.h"
#include "net/server_connection.h"
#include "replica/driver.h"

namespace moldau::broker {

using host::Task;

namespace {
constexpr size_t kPoolKeeps = 32 << 20;              // warm receive buffers
constexpr Duration kRetryAccept = milliseconds(20);  // when the process is out of descriptors
constexpr Duration kLookAtDisk = seconds(1);
constexpr const char* kOldCatalog = "moldau-catalog";  // of development versions
}  // namespace

namespace {
// What DescribeConfigs shows of it also if nobody wrote it. The directory with the metadata comes
// first.
BrokerConfig with_identity(BrokerConfig config) {
  auto metadata = std::ranges::find(config.log_dirs, config.kraft.metadata_dir);
  if (metadata != config.log_dirs.end()) {
    std::rotate(config.log_dirs.begin(), metadata, metadata + 1);
    config.kraft.metadata_dir.clear();
  }
  std::string id = fmt::format("{}", config.node_id.value);
  config.given.emplace("node.id", id);
  config.given.emplace("broker.id", id);
  config.given.emplace("process.roles", "broker,controller");
  config.given.emplace("log.dirs", fmt::format("{}", fmt::join(config.log_dirs, ",")));
  if (config.listen.port != 0)
    config.given.emplace("listeners", fmt::format("PLAINTEXT://{}", config.listen.to_string()));
  return config;
}
}  // namespace

struct Server::State {
  State(host::Env& e, BrokerConfig c, host::LogTarget& target)
      : env(e),
        config(with_identity(std::move(c))),
        logger(target, "broker"),
        group_logger(target, "groups"),
        metadata_logger(target, "metadata"),
        services(config),
        pool(kPoolKeeps),
        stopped(e.loop),
        connections(e.loop, "connections"),
        background(e.loop, "server") {}

  Task<Result<void>> open();
  Task<Result<void>> open_topics();
  Task<Result<void>> open_directories();
  Task<Result<void>> identify(std::vector<std::string> paths);
  Task<Result<void>> refuse_old_catalog(std::string directory);
  Task<Result<void>> open_metadata();
  Task<Result<void>> join();
  Task<Result<void>> close_metadata();
  log::LogDir& metadata_dir() { return own_metadata_dir ? *own_metadata_dir : dirs->metadata(); }
  void tell_recovery(const Topic& topic);
  void tell_offline();
  void tell_uncleanable();
  Task<void> accept_connections();
  Task<void> serve(std::unique_ptr<host::Stream> stream);
  Task<void> watch_disk();
  void log_end(const host::Address& peer, const Error& error);

  host::Env& env;
  const BrokerConfig config;
  host::Logger logger;
  host::Logger group_logger;
  host::Logger metadata_logger;
  Services services;
  host::BufferPool pool;
  std::unique_ptr<log::LogDirs> dirs;
  std::unique_ptr<log::LogDir> own_metadata_dir;  // where metadata.log.dir is none of log.dirs
  Identity identity;                              // of the directories that were opened
  DirectoryIds data_dirs;                         // those that take partitions
  Uuid incarnation;
  std::unique_ptr<Kraft> kraft;
  std::unique_ptr<Membership> member;
  std::unique_ptr<Partitions> partitions;
  std::unique_ptr<log::Cleaner> cleaner;  // its tasks use logs: it dies before them
  std::unique_ptr<Maintenance> maintenance;
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<OffsetsPort> offsets_port;
  std::unique_ptr<coordinator::Driver> groups;
  std::unique_ptr<Node> node;
  std::unique_ptr<host::Listener> listener;
  std::unique_ptr<HttpServer> http;                 // its tasks use the node: it dies first
  std::map<uint64_t, net::ServerConnection*> live;  // by a number that rises
  uint64_t next_connection = 0;
  bool stopping = false;
  bool disk_failed = false;
  std::set<std::string> told_offline;  // directories
  int64_t told_uncleanable = 0;
  host::Event stopped;  // stopping or disk_failed
  // The tasks use all of the above: they die first.
  host::Scope connections;
  host::Scope background;
};

Task<Result<void>> Server::State::refuse_old_catalog(std::string directory) {
  CO_TRY(entries, env.disk.list(directory));
  for (const host::DirEntry& entry : entries)
    if (entry.name == kOldCatalog)
      co_return fail(Errc::unsupported,
                     fmt::format("{}/{} was written by a development version of Moldau and cannot "
                                 "be read any more. Use another data directory, or remove this one",
                                 directory, kOldCatalog));
  co_return Result<void>();
}

// Empty directories are formatted, as `moldau storage format` does it.
Task<Result<void>> Server::State::identify(std::vector<std::string> paths) {
  CO_TRY(formatted, is_formatted(env, paths));
  if (!formatted) {
    FormatPlan plan{.cluster_id = env.entropy.uuid().to_string(),
                    .node_id = config.node_id,
                    .features = metadata::default_features(metadata::kLatestMetadataVersion),
                    .metadata_dir = metadata_dir().path(),
                    .standalone = config.kraft.static_voters.empty(),
                    .controller_endpoints = config.kraft.controller_endpoints};
    for (const std::string& path : paths) {
      std::string directory = path;
      CO_TRY_(format_directory(env, directory, plan));
    }
  }
  CO_TRY(found, open_identity(env, paths, config.node_id));
  identity = std::move(found);
  co_return Result<void>();
}

Task<Result<void>> Server::State::open_directories() {
  log::LogDirConfig dir_config;
  Result<std::unique_ptr<log::LogDirs>> opened =
      co_await log::LogDirs::open(env, config.log_dirs, dir_config);
  if (!opened) co_return std::move(opened.error());
  dirs = std::move(*opened);
  std::string other = config.kraft.metadata_dir;
  if (!other.empty()) {
    CO_TRY(own, log::LogDir::open(env, other, dir_config));
    own_metadata_dir = std::move(own);
  }
  for (const log::LogDirs::Place& place : dirs->places())
    for (const std::string& name : place.odd)
      MOLDAU_LOG_WARN(logger, "{}/{} is no partition and is left alone", place.path, name);
  std::vector<log::LogDir*> working = dirs->opened();
  std::vector<std::string> paths;
  // The one of the metadata first: what it says counts.
  if (own_metadata_dir) paths.push_back(other);
  for (log::LogDir* dir : working) paths.push_back(dir->path());
  std::string first = paths.front();
  CO_TRY_(refuse_old_catalog(first));
  CO_TRY_(identify(paths));
  size_t skip = own_metadata_dir ? 1 : 0;
  for (size_t i = 0; i < working.size(); i++) {
    if (identity.failures[i + skip])
      working[i]->fail(*identity.failures[i + skip]);
    else
      data_dirs[working[i]->path()] = identity.directory_ids[i + skip];
  }
  co_return Result<void>();
}

// The cluster as it is, before anything of it is served.
Task<Result<void>> Server::State::open_metadata() {
  incarnation = env.entropy.uuid();
  Kraft::Place place{.dir = metadata_dir(),
                     .directory_id = identity.directory_ids.front(),
                     .cluster_id = identity.cluster_id,
                     .incarnation = incarnation};
  CO_TRY(opened, Kraft::open(env, config, place, metadata_logger));
  kraft = std::move(opened);
  member = std::make_unique<Membership>(env, kraft->metadata(), metadata_logger);
  catalog = std::make_unique<MetadataCatalog>(env, kraft->metadata(), config.node_id, *member);
  co_return Result<void>();
}

// From here on this broker leads its partitions, in the epochs that the controller says.
Task<Result<void>> Server::State::join() {
  metadata::Broker us{.id = config.node_id,
                      .incarnation = incarnation,
                      .features = metadata::supported_features(),
                      .rack = config.kraft.rack};
  for (const auto& [path, id] : data_dirs) us.log_dirs.push_back(id);
  us.endpoints.push_back(
      {config.kraft.listener, node->advertised_host(), node->advertised_port(), 0});
  MembershipConfig wanted{.registration = {.broker = std::move(us),
                                           .cluster_id = identity.cluster_id,
                                           .previous_epoch = dirs->previous_epoch()},
                          .heartbeat = config.kraft.heartbeat};
  CO_TRY_(member->join(std::move(wanted)));
  partitions->lead(*kraft->metadata().image());
  node->broker_epoch = member->epoch();
  co_await node->tell_places(Uuid());
  co_return Result<void>();
}

Task<Result<void>> Server::State::open() {
  if (config.http) {
    TRY_CO(opened, HttpServer::open(env, *config.http, config.http_any_port));
    http = std::move(opened);
  }
  CO_TRY_(open_directories());
  CO_TRY_(open_metadata());
  cleaner = std::make_unique<log::Cleaner>(env, config.cleaner);
  partitions = std::make_unique<Partitions>(*dirs, config, *cleaner);
  maintenance = std::make_unique<Maintenance>(env, config.maintenance, *partitions, *dirs, logger);
  offsets_port = std::make_unique<OffsetsPort>(env, *partitions, *catalog);
  groups = std::make_unique<coordinator::Driver>(env, config.groups, *offsets_port, group_logger);
  node = std::make_unique<Node>(env, config, identity.cluster_id, *catalog, *partitions, *groups,
                                *kraft, services, config.listen);
  node->directory_ids = data_dirs;
  CO_TRY_(open_topics());
  TRY_CO(listening, env.network.listen(config.listen));
  listener = std::move(listening);
  node->address = listener->local();
  CO_TRY_(join());
  std::shared_ptr<const Topics> topics = catalog->topics();
  if (const Topic* offsets = topics->find(kOffsetsTopic))
    groups->topic_is_there(offsets->partitions);
  background.spawn(accept_connections());
  background.spawn(watch_disk());
  background.spawn(maintenance->run());
  background.spawn(member->run());
  if (config.cleaner_enabled) cleaner->start();
  if (http) http->ready(*node);
  co_return Result<void>();
}

Task<Result<void>> Server::State::open_topics() {
  std::shared_ptr<const Topics> topics = catalog->topics();
  CO_TRY_(partitions->open(env, topics));
  tell_offline();
  // Nothing can be served: say why instead of starting.
  if (auto error = metadata_dir().offline()) co_return std::move(*error);
  for (const Topic& topic : topics->all()) tell_recovery(topic);
  if (!topics->all().empty())
    MOLDAU_LOG_INFO(logger, "opened {} topics with {} partitions; the last stop was {}",
                    topics->all().size(), partitions->size(),
                    dirs->were_clean() ? "clean" : "not clean");
  co_return Result<void>();
}

// What an unclean stop has cost: never anything that was acknowledged with flush=ack. And what else
// was not as it should be.
void Server::State::tell_recovery(const Topic& topic) {
  for (int32_t i = 0; i < topic.partitions; i++) {
    Partitions::Ref partition = partitions->find(topic.name, i);
    if (!partition) continue;
    for (const std::string& what : partition->log().mended()) MOLDAU_LOG_WARN(logger, "{}", what);
    if (partition->log().bytes_cut() == 0) continue;
    MOLDAU_LOG_WARN(logger, "{}: cut {} bytes behind offset {}: {}", partition->log().directory(),
                    partition->log().bytes_cut(), partition->watermarks().log_end,
                    partition->log().cut_because());
  }
}

Task<void> Server::State::accept_connections() {
  while (!stopping) {
    Result<std::unique_ptr<host::Stream>> stream = co_await listener->accept();
    if (stream) {
      connections.spawn(serve(std::move(*stream)));
      continue;
    }
    if (stream.error().code() == Errc::cancelled) break;
    MOLDAU_LOG_WARN(logger, "accept: {}", stream.error().to_string());
    co_await env.loop.sleep(kRetryAccept);
  }
}

Task<void> Server::State::serve(std::unique_ptr<host::Stream> stream) {
  if (stopping) co_return;  // accepted just before: nobody would close it
  net::ConnectionLimits limits{.max_frame = config.max_request_bytes};
  net::ServerConnection connection(env, pool, std::move(stream), limits);
  host::Address peer = connection.peer();
  uint64_t number = next_connection++;
  live[number] = &connection;
  services.metrics.enter([](Metrics& metrics) { metrics.connection_opened(); });
  Session session(*node, peer);
  MOLDAU_LOG_DEBUG(logger, "connection {} from {}", number, peer.to_string());
  Result<void> end = co_await connection.serve(session);
  live.erase(number);
  services.metrics.enter([](Metrics& metrics) { metrics.connection_closed(); });
  if (!end && !stopping) log_end(peer, end.error());
}

void Server::State::log_end(const host::Address& peer, const Error& error) {
  bool usual = error.code() == Errc::reset || error.code() == Errc::closed ||
               error.code() == Errc::cancelled;
  if (usual)
    MOLDAU_LOG_DEBUG(logger, "{}: {}", peer.to_string(), error.to_string());
  else
    MOLDAU_LOG_WARN(logger, "closed the connection from {}: {}", peer.to_string(),
                    error.to_string());
}

// Each directory once. Its partitions are absent from then on.
void Server::State::tell_offline() {
  for (const log::LogDirs::Place& place : dirs->places()) {
    std::optional<Error> error = place.dir ? place.dir->offline() : place.broken;
    if (!error || !told_offline.insert(place.path).second) continue;
    size_t lost = place.dir ? partitions->on_offline(*place.dir) : 0;
    MOLDAU_LOG_ERROR(logger,
                     "{} is offline: {}. Nothing can be served from it ({} open partitions); "
                     "check the disk, then start again",
                     place.path, error->to_string(), lost);
  }
}

// Compaction of a log has been given up: it grows from here on.
void Server::State::tell_uncleanable() {
  log::CleanerStats stats = cleaner->stats();
  if (stats.uncleanable == told_uncleanable) return;
  told_uncleanable = stats.uncleanable;
  MOLDAU_LOG_WARN(logger, "{} logs cannot be compacted; the last one: {}", stats.uncleanable,
                  stats.last_error);
}

// A failed write or sync takes a directory offline. With the last one, or with the metadata's, goes
// all that we serve.
Task<void> Server::State::watch_disk() {
  while (!stopping && !disk_failed) {
    (void)co_await stopped.wait_until(env.loop.now() + kLookAtDisk);
    if (stopping) continue;
    tell_offline();
    tell_uncleanable();
    bool over = dirs->all_offline() || metadata_dir().offline();
    std::optional<Error> metadata_failed = kraft->failure();
    if (!over && !metadata_failed) continue;
    if (metadata_failed)
      MOLDAU_LOG_ERROR(logger, "the cluster's metadata cannot be kept: {}; stopping",
                       metadata_failed->to_string());
    else
      MOLDAU_LOG_ERROR(logger, "no directory is left that could be served; stopping");
    disk_failed = true;
    stopped.notify_all();
  }
}

// The controller is told before the log that it writes to is closed.
Task<Result<void>> Server::State::close_metadata() {
  if (!kraft->failure()) {
    Result<void> left = co_await member->leave();
    if (!left) MOLDAU_LOG_WARN(logger, "left without the controller: {}", left.error().to_string());
  }
  Result<void> closed = co_await kraft->close();
  if (!own_metadata_dir) co_return closed;
  Result<void> dir_closed = co_await own_metadata_dir->close(member->epoch());
  if (!closed) co_return closed;
  co_return dir_closed;
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;

Task<Result<std::unique_ptr<Server>>> Server::start(host::Env& env, BrokerConfig config,
                                                    host::LogTarget& target) {
  auto state = std::make_unique<State>(env, std::move(config), target);
  Result<void> opened = co_await state->open();
  if (!opened) {
    if (state->partitions) (void)co_await state->partitions->close_all(env);
    if (state->kraft) (void)co_await state->kraft->close();
    if (state->own_metadata_dir) co_await state->own_metadata_dir->stop();
    if (state->dirs) co_await state->dirs->stop();
    if (state->http) co_await state->http->stop();
    co_return std::move(opened.error());
  }
  std::unique_ptr<Server> server(new Server(std::move(state)));
  co_return server;
}

host::Address Server::address() const { return state_->node->address; }
std::optional<host::Address> Server::http_address() const {
  if (!state_->http) return std::nullopt;
  return state_->http->address();
}
const std::string& Server::cluster_id() const { return state_->node->cluster_id; }
const std::vector<std::string>& Server::log_dirs() const { return state_->config.log_dirs; }
size_t Server::memory() const { return state_->pool.in_use(); }
size_t Server::partitions() const { return state_->partitions->size(); }

Task<void> Server::failed() {
  while (!state_->stopping && !state_->disk_failed) co_await state_->stopped.wait();
}

Task<Result<void>> Server::stop() {
  State& s = *state_;
  s.stopping = true;
  s.stopped.notify_all();
  if (s.http) co_await s.http->not_ready("stopping");
  s.listener->close();
  s.maintenance->stop();
  s.groups->refuse_all();
  s.partitions->retire_all();
  for (auto& [number, connection] : s.live) connection->close();
  co_await s.connections.drained();
  s.member->stop();
  co_await s.background.drained();
  co_await s.groups->stop();
  co_await s.cleaner->stop();
  Result<void> closed = co_await s.partitions->close_all(s.env);
  Result<void> metadata_closed = co_await s.close_metadata();
  Result<void> dir_closed = co_await s.dirs->close(s.member->epoch());
  if (s.http) co_await s.http->stop();
  if (!closed) co_return closed;
  if (!metadata_closed) co_return metadata_closed;
  co_return dir_closed;
}

}  // namespace moldau::broker
