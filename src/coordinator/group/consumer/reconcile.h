// One member's way from what it has to what it shall have: first it gives up what others are to
// get, then it goes on to the epoch of the target, then it gets what others have given up. Pure.
#pragma once
#include <optional>

#include "coordinator/group/consumer/stored.h"

namespace moldau::coordinator::group {

struct Reconciling {
  const ConsumerGroup& group;
  const std::string& member;
  const std::set<Uuid>& topics;  // that the member reads
  const Parts* owned = nullptr;  // as the member says; nullptr: it has not said
};

// What the member is to have now. Nothing: it is in a state that is not known, and has to join
// anew.
std::optional<CurrentAssignment> reconcile(const Reconciling& in);
// Another member has what this one is to get.
bool waits_for_others(const ConsumerGroup& group, const std::string& member);

}  // namespace moldau::coordinator::group
