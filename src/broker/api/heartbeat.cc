// Heartbeat: a member is alive, and hears whether it is to join again.
#include "wire/messages/heartbeat.h"

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

Answer heartbeat(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<wire::HeartbeatRequest>(request->body, request->version, request->arena));
  coordinator::group::Speaker who{.group = owned(body.group_id),
                                  .member = owned(body.member_id),
                                  .instance = owned(body.group_instance_id),
                                  .generation = body.generation_id};
  wire::HeartbeatResponse answer{.error_code = code(node.groups.heartbeat(who))};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
