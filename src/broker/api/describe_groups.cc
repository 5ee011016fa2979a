// DescribeGroups: state, members and assignments. A group that is not there is "Dead" up to version
// 5, and an error from 6 on.
#include "wire/messages/describe_groups.h"

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

namespace group = coordinator::group;
using wire::DescribeGroupsRequest;
using wire::DescribeGroupsResponse;
using wire::ErrorCode;
using Described = DescribeGroupsResponse::DescribedGroup;
using DescribedMember = DescribeGroupsResponse::DescribedGroupMember;

namespace {

constexpr int16_t kFirstWithNotFound = 6;

Described absent(Request& request, std::string_view name, std::string_view why) {
  Described out{.group_id = name, .group_state = "Dead"};
  if (request.version < kFirstWithNotFound) return out;
  out.error_code = code(ErrorCode::group_id_not_found);
  out.error_message = request.arena.copy(why);
  return out;
}

Described present(Arena& arena, std::string_view name, const group::DescribedGroup& found) {
  auto members = arena.array<DescribedMember>(found.members.size());
  for (size_t i = 0; i < members.size(); i++) {
    const group::DescribedMember& one = found.members[i];
    wire::NullableString instance;
    if (one.instance) instance = arena.copy(*one.instance);
    members[i] = {.member_id = arena.copy(one.id),
                  .group_instance_id = instance,
                  .client_id = arena.copy(one.client_id),
                  .client_host = arena.copy(one.client_host),
                  .member_metadata = as_bytes(arena.copy(one.metadata)),
                  .member_assignment = as_bytes(arena.copy(one.assignment))};
  }
  return {.group_id = name,
          .group_state = arena.copy(found.state),
          .protocol_type = arena.copy(found.protocol_type),
          .protocol_data = arena.copy(found.protocol),
          .members = members};
}

host::Task<Described> describe(Node& node, Request& request, std::string_view name) {
  std::string owned_name(name);
  coordinator::Driver::View view = co_await node.groups.view(owned_name);
  if (!view.core) co_return Described{.error_code = code(view.error), .group_id = name};
  group::DescribedGroup found = view.core->describe(name);
  if (found.error != ErrorCode::none) co_return absent(request, name, found.message);
  co_return present(request.arena, name, found);
}

}  // namespace

Answer describe_groups(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<DescribeGroupsRequest>(request->body, request->version, request->arena));
  auto groups = request->arena.array<Described>(body.groups.size());
  for (size_t i = 0; i < groups.size(); i++) {
    std::string_view name = body.groups[i];
    groups[i] = co_await describe(node, *request, name);
    bool tell = body.include_authorized_operations && groups[i].error_code == 0;
    if (tell) groups[i].authorized_operations = kGroupOperations;
  }
  DescribeGroupsResponse answer{.groups = groups};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
