#include "raft/driver_serve.h"

#include <algorithm>
#include <array>

#include "host/clock.h"
#include "host/loop.h"
#include "raft/describe.h"
#include "raft/wire_form.h"
#include "wire/frame.h"

namespace moldau::raft {

using host::Task;

namespace {

using wire::ApiKey;
constexpr std::array kApis{
    ApiKey::vote,           ApiKey::begin_quorum_epoch, ApiKey::end_quorum_epoch,
    ApiKey::fetch,          ApiKey::fetch_snapshot,     ApiKey::describe_quorum,
    ApiKey::add_raft_voter, ApiKey::remove_raft_voter,  ApiKey::update_raft_voter};

template <class M>
Result<std::optional<Request>> read(const Asked& asked, Arena& arena) {
  TRY(message, wire::decode<M>(asked.body, asked.version, arena));
  std::optional value(from_wire(message));
  if (!value) return std::optional<Request>();
  return std::optional<Request>(std::move(*value));
}

// Nothing: about another partition than the one there is.
Result<std::optional<Request>> decode(const Asked& asked, Arena& arena) {
  switch (asked.key) {
    case ApiKey::vote:
      return read<wire::VoteRequest>(asked, arena);
    case ApiKey::begin_quorum_epoch:
      return read<wire::BeginQuorumEpochRequest>(asked, arena);
    case ApiKey::end_quorum_epoch:
      return read<wire::EndQuorumEpochRequest>(asked, arena);
    case ApiKey::fetch:
      return read<wire::FetchRequest>(asked, arena);
    case ApiKey::fetch_snapshot:
      return read<wire::FetchSnapshotRequest>(asked, arena);
    case ApiKey::add_raft_voter:
      return read<wire::AddRaftVoterRequest>(asked, arena);
    case ApiKey::remove_raft_voter:
      return read<wire::RemoveRaftVoterRequest>(asked, arena);
    case ApiKey::update_raft_voter:
      return read<wire::UpdateRaftVoterRequest>(asked, arena);
    default:
      return fail(Errc::unsupported, "no request of the quorum");
  }
}

Response invalid(wire::ApiKey key) {
  switch (key) {
    case ApiKey::vote:
      return VoteResponse{{ErrorCode::invalid_request, {}, {}, {}}, false};
    case ApiKey::begin_quorum_epoch:
      return BeginQuorumResponse{{ErrorCode::invalid_request, {}, {}, {}}};
    case ApiKey::end_quorum_epoch:
      return EndQuorumResponse{{ErrorCode::invalid_request, {}, {}, {}}};
    case ApiKey::fetch: {
      FetchResponse out;
      out.top = ErrorCode::invalid_request;
      return out;
    }
    default: {
      FetchSnapshotResponse out;
      out.top = ErrorCode::invalid_request;
      return out;
    }
  }
}

struct Encoder {
  const Asked& asked;
  Arena& arena;

  Chain operator()(const FetchResponse& r) {
    return framed(to_wire(r, {.bytes = r.records}, arena));
  }
  Chain operator()(const FetchSnapshotResponse& r) {
    return framed(to_wire(r, {.bytes = r.bytes}, arena));
  }
  Chain operator()(const LevelsResponse&) { return {}; }
  Chain operator()(const AddVoterResponse& r) { return framed(to_wire(r)); }
  Chain operator()(const RemoveVoterResponse& r) { return framed(to_wire(r)); }
  Chain operator()(const UpdateVoterResponse& r) { return framed(to_wire(r)); }
  template <class R>
  Chain operator()(const R& r) {
    return framed(to_wire(r, arena));
  }
  template <class M>
  Chain framed(const M& message) {
    Chain out;
    wire::encode_response(message, asked.version, asked.correlation_id, out);
    return out;
  }
};

}  // namespace

std::span<const wire::ApiKey> quorum_apis() { return kApis; }
bool is_quorum_api(wire::ApiKey key) { return std::ranges::count(kApis, key) > 0; }

Task<Result<Chain>> answer(host::Env& env, Driver& driver, Asked asked) {
  Arena arena;
  Encoder encoder{asked, arena};
  if (asked.key == ApiKey::describe_quorum) {
    TRY_CO(message, wire::decode<wire::DescribeQuorumRequest>(asked.body, asked.version, arena));
    Now now{env.loop.now(), env.clock.wall()};
    co_return encoder.framed(
        raft::describe_quorum(driver.core(), now, message, asked.version, arena));
  }
  TRY_CO(request, decode(asked, arena));
  Result<Response> response = invalid(asked.key);
  if (request) response = co_await driver.ask(std::move(*request));
  if (!response) co_return std::move(response.error());
  co_return std::visit(encoder, *response);
}

}  // namespace moldau::raft
