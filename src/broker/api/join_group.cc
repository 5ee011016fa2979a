// JoinGroup: answered when all members have joined, or the rebalance timeout of the group is over.
// The connection's next requests wait meanwhile, as in Kafka.
#include "wire/messages/join_group.h"

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

namespace group = coordinator::group;
using wire::JoinGroupRequest;
using wire::JoinGroupResponse;

namespace {

constexpr int16_t kFirstWithMemberId = 4, kFirstThatSkips = 9, kFirstWithNullProtocol = 7;

group::JoinRequest read(const Request& request, const JoinGroupRequest& body) {
  group::JoinRequest out{
      .group = owned(body.group_id),
      .member = owned(body.member_id),
      .instance = owned(body.group_instance_id),
      .client_id = owned(request.client_id),
      .client_host = request.client_host,
      .protocol_type = owned(body.protocol_type),
      .protocols = {},
      .session_timeout = milliseconds(body.session_timeout_ms),
      .rebalance_timeout = milliseconds(body.rebalance_timeout_ms),
      .needs_member_id = request.version >= kFirstWithMemberId && !body.group_instance_id,
      .may_skip = request.version >= kFirstThatSkips,
      .unique = {}};
  if (request.version == 0) out.rebalance_timeout = out.session_timeout;
  for (const auto& protocol : body.protocols)
    out.protocols.push_back({owned(protocol.name), owned(protocol.metadata)});
  return out;
}

}  // namespace

Answer join_group(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<JoinGroupRequest>(request->body, request->version, request->arena));
  group::JoinRequest wanted = read(*request, body);
  group::JoinAnswer joined = co_await node.groups.join(std::move(wanted));
  JoinGroupResponse answer{.error_code = code(joined.error),
                           .generation_id = joined.generation,
                           .protocol_type = view(joined.protocol_type),
                           .leader = joined.leader,
                           .skip_assignment = joined.skip_assignment,
                           .member_id = joined.member};
  answer.protocol_name = view(joined.protocol);
  if (!joined.protocol && request->version < kFirstWithNullProtocol)
    answer.protocol_name = std::string_view();
  auto members =
      request->arena.array<JoinGroupResponse::JoinGroupResponseMember>(joined.members.size());
  for (size_t i = 0; i < members.size(); i++)
    members[i] = {.member_id = joined.members[i].id,
                  .group_instance_id = view(joined.members[i].instance),
                  .metadata = as_bytes(joined.members[i].metadata)};
  answer.members = members;
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
