#include "raft/driver_network.h"

#include <algorithm>

#include "host/loop.h"
#include "host/network.h"
#include "net/client_connection.h"
#include "raft/wire_form.h"
#include "wire/frame.h"

namespace moldau::raft {

using host::Task;

namespace {

constexpr int16_t kApiVersionsVersion = 3;
constexpr std::string_view kSoftware = "moldau", kSoftwareVersion = "0";

struct Versions {
  int16_t min = 0, max = -1;
};

// What this side knows to say: what Apache Kafka 4.3 serves.
Versions ours(wire::ApiKey key) {
  const wire::ApiInfo* api = wire::find_api(static_cast<int16_t>(key));
  return {api->in_4_3.min, api->in_4_3.max};
}

template <class M>
std::vector<uint8_t> framed(const M& message, int16_t version, int32_t id,
                            const std::string& client) {
  Chain out;
  wire::encode_request(message, version, id, client, out);
  return out.flatten();
}

// One request as bytes, and what its answer is.
struct Exchange {
  int16_t version;
  int32_t id;
  const std::string& client;
  Arena arena;

  std::vector<uint8_t> encode(const FetchRequest& r) {
    return framed(to_wire(r, version, arena), version, id, client);
  }
  std::vector<uint8_t> encode(const RemoveVoterRequest& r) {
    return framed(to_wire(r), version, id, client);
  }
  std::vector<uint8_t> encode(const LevelsRequest&) {
    wire::ApiVersionsRequest out{.client_software_name = kSoftware,
                                 .client_software_version = kSoftwareVersion};
    return framed(out, version, id, client);
  }
  template <class R>
  std::vector<uint8_t> encode(const R& r) {
    return framed(to_wire(r, arena), version, id, client);
  }

  template <class M>
  Result<Response> decode(Bytes frame) {
    TRY(message, wire::decode_response<M>(frame, version, arena));
    std::optional out(from_wire(message));
    if (!out) return fail(Errc::invalid, "an answer about something else");
    return Response(std::move(*out));
  }
};

wire::ApiKey key_of(const Request& request) {
  using enum wire::ApiKey;
  constexpr std::array kKeys{
      vote,           begin_quorum_epoch, end_quorum_epoch,  fetch,       fetch_snapshot,
      add_raft_voter, remove_raft_voter,  update_raft_voter, api_versions};
  static_assert(kKeys.size() == std::variant_size_v<Request>);
  return kKeys[request.index()];
}

Result<Response> decode(wire::ApiKey key, Exchange& exchange, Bytes frame) {
  using enum wire::ApiKey;
  switch (key) {
    case vote:
      return exchange.decode<wire::VoteResponse>(frame);
    case begin_quorum_epoch:
      return exchange.decode<wire::BeginQuorumEpochResponse>(frame);
    case end_quorum_epoch:
      return exchange.decode<wire::EndQuorumEpochResponse>(frame);
    case fetch:
      return exchange.decode<wire::FetchResponse>(frame);
    case fetch_snapshot:
      return exchange.decode<wire::FetchSnapshotResponse>(frame);
    case update_raft_voter:
      return exchange.decode<wire::UpdateRaftVoterResponse>(frame);
    case api_versions:
      return exchange.decode<wire::ApiVersionsResponse>(frame);
    default:
      return fail(Errc::unsupported, "a replica does not ask that");
  }
}

// A node from before KIP-996 has no pre-vote: it would not stand in the way.
Response as_if_granted(const VoteRequest& request) {
  VoteResponse out;
  out.granted = true;
  out.leader.epoch = request.epoch;
  return out;
}

}  // namespace

// A connection, and the versions that its other side serves. The timer ends it.
class NetworkPeers::Connection : public host::Timer {
 public:
  Connection(host::Loop& loop, std::unique_ptr<net::ClientConnection> stream)
      : loop_(loop), stream_(std::move(stream)) {
    fire = [](host::Timer& timer) { static_cast<Connection&>(timer).close(); };
  }
  ~Connection() { loop_.disarm(*this); }

  void close() {
    loop_.disarm(*this);
    stream_->close();
  }
  void end_at(Instant deadline) {
    loop_.disarm(*this);
    at = deadline;
    loop_.arm(*this);
  }
  void stay() { loop_.disarm(*this); }

  // Highest version of both; nothing if there is none.
  std::optional<int16_t> version(wire::ApiKey key) const {
    auto found = theirs_.find(key);
    if (found == theirs_.end()) return std::nullopt;
    Versions own = ours(key);
    int16_t version = std::min(own.max, found->second.max);
    if (version < std::max(own.min, found->second.min)) return std::nullopt;
    return version;
  }

  Task<Result<net::Frame>> converse(std::vector<uint8_t> request, int32_t id) {
    Chain out;
    out.append(Bytes(request));
    CO_TRY_(stream_->send(std::move(out)));
    CO_TRY(frame, stream_->receive());
    TRY_CO(answered, wire::peek_correlation_id(frame.bytes));
    if (answered != id) co_return moldau::fail(Errc::corrupt, "an answer to another request");
    co_return std::move(frame);
  }

  Task<Result<void>> learn_versions(const std::string& client) {
    int32_t id = ++last_id;
    Exchange exchange{kApiVersionsVersion, id, client, {}};
    std::vector<uint8_t> request = exchange.encode(LevelsRequest());
    CO_TRY(frame, converse(std::move(request), id));
    TRY_CO(answer, wire::decode_response<wire::ApiVersionsResponse>(
                       frame.bytes, kApiVersionsVersion, exchange.arena));
    if (answer.error_code != 0)
      co_return moldau::fail(Errc::unsupported,
                             fmt::format("ApiVersions: error {}", answer.error_code));
    for (const auto& api : answer.api_keys)
      theirs_[static_cast<wire::ApiKey>(api.api_key)] = {api.min_version, api.max_version};
    co_return Result<void>();
  }

  int32_t last_id = 0;

 private:
  host::Loop& loop_;
  std::unique_ptr<net::ClientConnection> stream_;
  std::map<wire::ApiKey, Versions> theirs_;
};

NetworkPeers::NetworkPeers(host::Env& env, Options options)
    : env_(env), options_(std::move(options)) {}
NetworkPeers::~NetworkPeers() = default;

void NetworkPeers::close() {
  closed_ = true;
  for (auto& [id, peer] : peers_)
    if (peer.connection) peer.connection->close();
}

Task<Result<Response>> NetworkPeers::ask(BrokerId to, std::vector<Endpoint> endpoints,
                                         Request request) {
  if (closed_) co_return fail(Errc::closed, "closed");
  if (endpoints.empty())
    co_return fail(Errc::unreachable, fmt::format("nobody has said where node {} listens", to));
  Peer& peer = peers_[to];
  if (peer.busy)
    co_return fail(Errc::busy, fmt::format("node {} has not answered what came before", to));
  peer.busy = true;
  Endpoint at = std::move(endpoints.front());
  Result<Response> response = co_await exchange(peer, at, std::move(request));
  peer.busy = false;
  if (!response) peer.connection.reset();
  co_return response;
}

Task<Result<Response>> NetworkPeers::exchange(Peer& peer, Endpoint at, Request request) {
  bool same = peer.at.host == at.host && peer.at.port == at.port;
  if (!same) peer.connection.reset();
  if (!peer.connection) CO_TRY_(connect(peer, at));
  Connection& connection = *peer.connection;
  wire::ApiKey key = key_of(request);
  std::optional<int16_t> version = connection.version(key);
  auto* vote = std::get_if<VoteRequest>(&request);
  if (vote && version && !fits(*vote, *version)) co_return as_if_granted(*vote);
  if (!version)
    co_return fail(Errc::unsupported,
                   fmt::format("{}:{} has no version of {} in common with us", at.host, at.port,
                               wire::find_api(static_cast<int16_t>(key))->name));
  int32_t id = ++connection.last_id;
  Exchange one{*version, id, options_.client_id, {}};
  std::vector<uint8_t> bytes = std::visit([&](const auto& r) { return one.encode(r); }, request);
  connection.end_at(env_.loop.now() + options_.request_timeout);
  Result<net::Frame> frame = co_await connection.converse(std::move(bytes), id);
  connection.stay();
  if (!frame) co_return std::move(frame.error()).in(fmt::format("{}:{}", at.host, at.port));
  co_return decode(key, one, frame->bytes);
}

Task<Result<void>> NetworkPeers::connect(Peer& peer, Endpoint at) {
  peer.at = at;
  Instant connect_at = peer.connect_at;
  co_await env_.loop.sleep_until(connect_at);
  peer.connect_at = env_.loop.now() + options_.reconnect_backoff;
  if (closed_) co_return fail(Errc::closed, "closed");
  host::Address address{{}, at.port};
  Result<host::IpAddress> number = host::IpAddress::parse(at.host);
  if (number) {
    address.ip = *number;
  } else {
    CO_TRY(found, env_.network.resolve(at.host));
    if (found.empty()) co_return fail(Errc::unreachable, at.host);
    address.ip = found.front();
  }
  CO_TRY(stream, net::ClientConnection::open(env_, pool_, address));
  peer.connection = std::make_unique<Connection>(env_.loop, std::move(stream));
  if (closed_) co_return fail(Errc::closed, "closed");
  peer.connection->end_at(env_.loop.now() + options_.request_timeout);
  Connection& connection = *peer.connection;
  Result<void> learned = co_await connection.learn_versions(options_.client_id);
  connection.stay();
  if (!learned) co_return std::move(learned.error()).in(fmt::format("{}:{}", at.host, at.port));
  co_return Result<void>();
}

}  // namespace moldau::raft
