#include "raft/roles.h"

namespace moldau::raft {

std::string_view role_name(RoleName role) {
  switch (role) {
    case RoleName::unattached:
      return "unattached";
    case RoleName::prospective:
      return "prospective";
    case RoleName::candidate:
      return "candidate";
    case RoleName::leader:
      return "leader";
    case RoleName::follower:
      return "follower";
    case RoleName::resigned:
      return "resigned";
  }
  return "?";
}

void Ballot::grant(BrokerId voter) {
  if (!voters_.find(voter)) return;
  rejected_.erase(voter);
  granted_.insert(voter);
}

void Ballot::reject(BrokerId voter) {
  if (voters_.find(voter) && !granted_.contains(voter)) rejected_.insert(voter);
}

std::vector<ReplicaKey> Ballot::granting() const {
  std::vector<ReplicaKey> out;
  for (const Voter& voter : voters_.voters())
    if (granted_.contains(voter.key.id)) out.push_back(voter.key);
  return out;
}

}  // namespace moldau::raft
