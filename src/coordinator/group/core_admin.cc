// What an administrator sees of groups.
#include <fmt/format.h>

#include "coordinator/group/core.h"

namespace moldau::coordinator::group {

std::vector<ListedGroup> GroupCore::list() const {
  std::vector<ListedGroup> out;
  for (const auto& [name, group] : groups_)
    out.push_back({name, group.protocol_type, std::string(phase_name(group.phase)), "classic"});
  for (const auto& [name, kept] : state_.groups())
    if (kept.consumer)
      out.push_back({name, "consumer", std::string(kept.consumer->state_name()), "consumer"});
  return out;
}

DescribedGroup GroupCore::describe(std::string_view name) const {
  const Group* group = this->group(name);
  if (!group) {
    std::string_view why = consumers_.find(name) ? "is not a classic group" : "not found";
    return {.error = ErrorCode::group_id_not_found,
            .message = fmt::format("Group {} {}.", name, why)};
  }
  DescribedGroup out{.state = std::string(phase_name(group->phase)),
                     .protocol_type = group->protocol_type};
  bool stable = group->phase == Phase::stable;
  if (stable) out.protocol = group->protocol.value_or("");
  const StoredGroup* stored = state_.stored(name);
  for (const auto& [id, member] : group->members) {
    DescribedMember& one = out.members.emplace_back();
    one.id = id;
    one.instance = member.instance;
    one.client_id = member.client_id;
    one.client_host = member.client_host;
    const std::string* metadata = stable ? member.metadata(out.protocol) : nullptr;
    if (metadata) one.metadata = *metadata;
    const StoredMember* part = stored ? stored->find(id) : nullptr;
    if (part) one.assignment = part->assignment;
  }
  return out;
}

DescribedConsumers GroupCore::describe_consumers(std::string_view name) const {
  auto refuse = [](ErrorCode error, std::string message) {
    return DescribedConsumers{.refusal = {error, std::move(message)}};
  };
  if (name.empty()) return refuse(ErrorCode::invalid_group_id, "");
  if (const ConsumerGroup* found = consumers_.find(name)) return consumers_.describe(*found);
  std::string_view why = group(name) ? "is not a consumer group" : "not found";
  return refuse(ErrorCode::group_id_not_found, fmt::format("Group {} {}.", name, why));
}

}  // namespace moldau::coordinator::group
