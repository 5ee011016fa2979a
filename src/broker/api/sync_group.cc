// SyncGroup: the leader hands in who gets what, everybody gets his part, once it is kept.
#include "wire/messages/sync_group.h"

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

namespace group = coordinator::group;
using wire::SyncGroupRequest;
using wire::SyncGroupResponse;

Answer sync_group(Node& node, RequestPtr request) {
  constexpr int16_t kFirstWithProtocol = 5;
  TRY_CO(body, wire::decode<SyncGroupRequest>(request->body, request->version, request->arena));
  bool complete =
      request->version < kFirstWithProtocol || (body.protocol_type && body.protocol_name);
  if (!complete)
    co_return reply(
        *request,
        SyncGroupResponse{.error_code = code(wire::ErrorCode::inconsistent_group_protocol)});
  group::SyncRequest wanted{.who = {.group = owned(body.group_id),
                                    .member = owned(body.member_id),
                                    .instance = owned(body.group_instance_id),
                                    .generation = body.generation_id},
                            .protocol_type = owned(body.protocol_type),
                            .protocol = owned(body.protocol_name),
                            .assignments = {}};
  for (const auto& one : body.assignments)
    wanted.assignments.push_back({owned(one.member_id), owned(one.assignment)});
  group::SyncAnswer synced = co_await node.groups.sync(std::move(wanted));
  SyncGroupResponse answer{.error_code = code(synced.error),
                           .protocol_type = view(synced.protocol_type),
                           .protocol_name = view(synced.protocol),
                           .assignment = as_bytes(synced.assignment)};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
