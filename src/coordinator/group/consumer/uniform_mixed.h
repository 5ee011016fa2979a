// The uniform assignor where members read different topics; for uniform.cc.
#pragma once
#include "coordinator/group/consumer/assignor.h"

namespace moldau::coordinator::group {

std::vector<Parts> assign_mixed(const std::vector<Assignee>& members, const KnownTopics& topics);

}  // namespace moldau::coordinator::group
