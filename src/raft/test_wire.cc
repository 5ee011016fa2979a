#include "raft/test_wire.h"

#include "base/check.h"
#include "raft/wire_form.h"

namespace moldau::raft::test {
namespace {

template <class T>
T some(std::optional<T> value) {
  CHECK(value, "not about the metadata log");
  return *std::move(value);
}
template <class T>
T some(T value) {
  return value;
}

template <class M>
auto carry(const M& message, int16_t version, Arena& arena) {
  Chain out;
  wire::encode(message, version, out);
  std::vector<uint8_t> bytes = out.flatten();
  Bytes rest;
  Result<M> back(std::in_place);
  Result<void> done = wire::decode_into(M::kInfo, &*back, bytes, version, arena, &rest);
  CHECK(done, "{}", done.error().to_string());
  CHECK(rest.empty(), "{} bytes behind the message", rest.size());
  return some(from_wire(*back));
}

struct Carrier {
  int16_t version;
  Arena arena;

  Request operator()(const LevelsRequest& r) { return r; }
  Request operator()(const FetchRequest& r) {
    return carry(to_wire(r, version, arena), version, arena);
  }
  Request operator()(const RemoveVoterRequest& r) { return carry(to_wire(r), version, arena); }
  template <class R>
  Request operator()(const R& r) {
    return carry(to_wire(r, arena), version, arena);
  }
};

struct AnswerCarrier {
  int16_t version;
  Arena arena;

  Response operator()(const LevelsResponse& r) { return r; }
  Response operator()(const AddVoterResponse& r) { return r; }     // read by people only
  Response operator()(const RemoveVoterResponse& r) { return r; }  //
  Response operator()(const UpdateVoterResponse& r) { return carry(to_wire(r), version, arena); }
  Response operator()(const FetchResponse& r) {
    return carry(to_wire(r, {.bytes = r.records}, arena), version, arena);
  }
  Response operator()(const FetchSnapshotResponse& r) {
    return carry(to_wire(r, {.bytes = r.bytes}, arena), version, arena);
  }
  template <class R>
  Response operator()(const R& r) {
    return carry(to_wire(r, arena), version, arena);
  }
};

}  // namespace

int16_t draw_version(const Request& request, bool directories, Random& random) {
  int16_t low = 0, high = 0;
  if (auto* vote = std::get_if<VoteRequest>(&request)) {
    low = directories ? 1 : 0;
    high = 2;
    if (!fits(*vote, 0)) low = 2;
  }
  bool has_two = std::holds_alternative<BeginQuorumRequest>(request) ||
                 std::holds_alternative<EndQuorumRequest>(request) ||
                 std::holds_alternative<FetchSnapshotRequest>(request) ||
                 std::holds_alternative<AddVoterRequest>(request);
  if (has_two) {
    low = directories ? 1 : 0;
    high = 1;
  }
  if (std::holds_alternative<FetchRequest>(request)) {
    low = directories ? 17 : 12;
    high = 18;
  }
  return static_cast<int16_t>(random.between(low, high));
}

Request over_wire(const Request& request, int16_t version) {
  Carrier carrier{version, {}};
  return std::visit(carrier, request);
}

Response over_wire(const Response& response, int16_t version) {
  AnswerCarrier carrier{version, {}};
  return std::visit(carrier, response);
}

}  // namespace moldau::raft::test
