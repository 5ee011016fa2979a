// Changes of the voters: AddRaftVoter, RemoveRaftVoter, UpdateRaftVoter (KIP-853). The leader
// appends the new set; it counts from then on; the next change waits until it is committed.
#include "base/bug.h"
#include "raft/core.h"

namespace moldau::raft {
namespace {

constexpr std::string_view kTryAgain = "; try again";

ChangeOutcome refuse(ErrorCode error, std::string text) {
  ChangeOutcome out;
  out.top = error;
  out.text = std::move(text);
  return out;
}

}  // namespace

ChangeOutcome Core::check_change(const Request& request) const {
  auto* leader = std::get_if<Leader>(&role_);
  if (!leader || stopping_)
    return refuse(ErrorCode::not_leader_or_follower, "this node does not lead the quorum");
  if (voters_.kraft_version() < 1)
    return refuse(ErrorCode::unsupported_version,
                  "the voters come from controller.quorum.voters: kraft.version is 0");
  bool changing =
      leader->change || (voters_.changed_at() && *voters_.changed_at() >= high_watermark_);
  if (planted(Bug::raft_change_on_change)) changing = leader->change && !leader->change->at;
  if (!leader->view.commits())
    return refuse(ErrorCode::request_timed_out,
                  fmt::format("the leader has committed nothing in its epoch yet{}", kTryAgain));
  if (changing)
    return refuse(ErrorCode::request_timed_out,
                  fmt::format("another change of the voters is under way{}", kTryAgain));
  const VoterSet& voters = voters_.voters();
  auto* add = std::get_if<AddVoterRequest>(&request);
  if (add && voters.find(add->voter.key.id))
    return refuse(ErrorCode::duplicate_voter,
                  fmt::format("node {} is a voter already", add->voter.key.id));
  if (add && (add->voter.key.id.value < 0 || add->voter.endpoints.empty()))
    return refuse(ErrorCode::invalid_request, "a voter has an id and a listener");
  auto* remove = std::get_if<RemoveVoterRequest>(&request);
  if (remove && !voters.without(remove->voter))
    return refuse(ErrorCode::voter_not_found,
                  fmt::format("{} is not a voter, or the last one", remove->voter));
  auto* update = std::get_if<UpdateVoterRequest>(&request);
  if (update && !voters.updated(update->voter))
    return refuse(ErrorCode::voter_not_found, fmt::format("{} is not a voter", update->voter.key));
  if (update && (update->voter.min_kraft_version > voters_.kraft_version() ||
                 update->voter.max_kraft_version < voters_.kraft_version()))
    return refuse(ErrorCode::invalid_request,
                  fmt::format("{} does not know kraft.version {}", update->voter.key,
                              voters_.kraft_version()));
  return {};
}

void Core::change_voters(uint64_t token, const Request& request) {
  VoterChange change{
      .token = token, .request = request, .deadline = now_.instant + config_.request_timeout};
  ClusterId cluster;
  auto* update = std::get_if<UpdateVoterRequest>(&request);
  if (update) cluster = update->cluster;
  if (auto* remove = std::get_if<RemoveVoterRequest>(&request)) cluster = remove->cluster;
  if (auto* add = std::get_if<AddVoterRequest>(&request)) {
    cluster = add->cluster;
    change.deadline = now_.instant + std::clamp(add->timeout, Duration(), seconds(60));
  }
  if (std::holds_alternative<LevelsRequest>(request))
    return emit(Answer{token, LevelsResponse{{}, 0, 1}});
  if (ErrorCode error = check_cluster(cluster); error != ErrorCode::none)
    return answer_change(change, error, "the request is for another cluster");
  if (update) {
    ErrorCode error = check_leader_request(update->epoch, ReplicaKey());
    if (error != ErrorCode::none) return answer_change(change, error, "not of this epoch's leader");
  }
  ChangeOutcome refused = check_change(request);
  if (refused.top != ErrorCode::none) return answer_change(change, refused.top, refused.text);
  if (update && voters_.voters().updated(update->voter) == voters_.voters())
    return answer_change(change, ErrorCode::none, {});
  Leader& leader = std::get<Leader>(role_);
  if (leader.change) answer_change(*leader.change, ErrorCode::none, {});
  leader.change = std::move(change);
  if (auto* remove = std::get_if<RemoveVoterRequest>(&request))
    append_change(*leader.change, *voters_.voters().without(remove->voter));
  if (update) append_change(*leader.change, *voters_.voters().updated(update->voter));
  // An addition goes on in pursue_change().
}

void Core::answer_change(VoterChange& change, ErrorCode error, std::string text) {
  if (change.answered) return;
  change.answered = true;
  ChangeOutcome outcome;
  fill(outcome);
  outcome.top = error;
  outcome.text = std::move(text);
  if (std::holds_alternative<AddVoterRequest>(change.request))
    emit(Answer{change.token, AddVoterResponse{std::move(outcome)}});
  else if (std::holds_alternative<RemoveVoterRequest>(change.request))
    emit(Answer{change.token, RemoveVoterResponse{std::move(outcome)}});
  else
    emit(Answer{change.token, UpdateVoterResponse{std::move(outcome)}});
}

void Core::append_change(VoterChange& change, const VoterSet& voters) {
  change.at = log_.end();
  write(voters_batch(voters, hard_.epoch, log_.end(), now_.wall));
}

// What a change waits for may have come: an answer, a position, the high watermark, its deadline.
void Core::pursue_change() {
  auto* leader = std::get_if<Leader>(&role_);
  if (!leader || !leader->change) return;
  VoterChange& change = *leader->change;
  if (auto* add = std::get_if<AddVoterRequest>(&change.request); add && !change.at)
    pursue_add(change, *add);
  bool committed = change.at && high_watermark_ > *change.at;
  if (committed) answer_change(change, ErrorCode::none, {});
  bool late = change.deadline <= now_.instant;
  if (late)
    answer_change(change, ErrorCode::request_timed_out, "the change was not committed in time");
  // What was appended may still be committed; only then the next one may begin.
  if (!committed && (change.at || !change.answered)) return;
  leader->change.reset();
  if (committed && !is_voter()) become_resigned();
}

void Core::pursue_add(VoterChange& change, const AddVoterRequest& request) {
  if (change.answered) return;
  if (!change.asked) {
    send(request.voter.key.id, LevelsRequest());
    return;
  }
  // It must have what the others have, or the new majority may wait for it.
  const Progress* p = std::get<Leader>(role_).view.find(request.voter.key);
  if (!p || p->end.value_or(Offset(-1)) < high_watermark_) return;
  std::optional<VoterSet> voters = voters_.voters().with(request.voter);
  if (!voters) return answer_change(change, ErrorCode::duplicate_voter, "it is a voter already");
  append_change(change, *voters);
  if (!request.ack_when_committed) answer_change(change, ErrorCode::none, {});
}

void Core::take(BrokerId from, const Sent&, const LevelsResponse& response) {
  auto* leader = std::get_if<Leader>(&role_);
  if (!leader || !leader->change) return;
  auto* add = std::get_if<AddVoterRequest>(&leader->change->request);
  if (!add || add->voter.key.id != from || leader->change->at) return;
  if (response.top != ErrorCode::none) return free_peer(from, true);
  int16_t level = voters_.kraft_version();
  if (level < response.min_kraft_version || level > response.max_kraft_version)
    return answer_change(
        *leader->change, ErrorCode::invalid_request,
        fmt::format("node {} knows kraft.version {} to {}, the quorum has {}", from,
                    response.min_kraft_version, response.max_kraft_version, level));
  add->voter.min_kraft_version = response.min_kraft_version;
  add->voter.max_kraft_version = response.max_kraft_version;
  leader->change->asked = true;
}

}  // namespace moldau::raft
