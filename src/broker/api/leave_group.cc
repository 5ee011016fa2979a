// LeaveGroup: members go; up to version 2 one, which then is the error of the whole request.
#include "wire/messages/leave_group.h"

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

namespace group = coordinator::group;
using wire::LeaveGroupRequest;
using wire::LeaveGroupResponse;

Answer leave_group(Node& node, RequestPtr request) {
  constexpr int16_t kFirstWithSeveral = 3;
  TRY_CO(body, wire::decode<LeaveGroupRequest>(request->body, request->version, request->arena));
  bool several = request->version >= kFirstWithSeveral;
  std::vector<group::LeavingMember> leaving;
  if (!several) leaving.push_back({owned(body.member_id), std::nullopt});
  for (const auto& one : body.members)
    leaving.push_back({owned(one.member_id), owned(one.group_instance_id)});
  std::string name = owned(body.group_id);
  group::LeaveAnswer left = co_await node.groups.leave(std::move(name), std::move(leaving));
  LeaveGroupResponse answer{.error_code = code(left.error)};
  if (!several && !left.members.empty()) answer.error_code = code(left.members[0]);
  auto members =
      request->arena.array<LeaveGroupResponse::MemberResponse>(several ? left.members.size() : 0);
  for (size_t i = 0; i < members.size(); i++)
    members[i] = {.member_id = body.members[i].member_id,
                  .group_instance_id = body.members[i].group_instance_id,
                  .error_code = code(left.members[i])};
  answer.members = members;
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
