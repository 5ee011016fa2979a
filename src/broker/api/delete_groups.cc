// DeleteGroups: groups without members, with all that they committed.
#include "wire/messages/delete_groups.h"

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

using wire::DeleteGroupsRequest;
using wire::DeleteGroupsResponse;

Answer delete_groups(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<DeleteGroupsRequest>(request->body, request->version, request->arena));
  auto results =
      request->arena.array<DeleteGroupsResponse::DeletableGroupResult>(body.groups_names.size());
  for (size_t i = 0; i < results.size(); i++) {
    std::string name = owned(body.groups_names[i]);
    wire::ErrorCode error = co_await node.groups.delete_group(std::move(name));
    results[i] = {.group_id = body.groups_names[i], .error_code = code(error)};
  }
  DeleteGroupsResponse answer{.results = results};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
