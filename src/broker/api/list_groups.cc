// ListGroups: all groups that we coordinate, or those in certain states (version 4) or of certain
// types (version 5).
#include "wire/messages/list_groups.h"

#include <algorithm>

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

namespace group = coordinator::group;
using wire::ListGroupsRequest;
using wire::ListGroupsResponse;

namespace {

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

bool wanted(const wire::Array<std::string_view>& filter, std::string_view word) {
  return filter.empty() ||
         std::ranges::any_of(filter, [&](std::string_view one) { return same_word(one, word); });
}

}  // namespace

Answer list_groups(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<ListGroupsRequest>(request->body, request->version, request->arena));
  coordinator::Driver::Listed listed = co_await node.groups.list();
  std::vector<ListGroupsResponse::ListedGroup> groups;
  for (const group::ListedGroup& one : listed.groups) {
    bool asked = wanted(body.states_filter, one.state) && wanted(body.types_filter, one.type);
    if (!asked) continue;
    groups.push_back({.group_id = one.id,
                      .protocol_type = one.protocol_type,
                      .group_state = one.state,
                      .group_type = one.type});
  }
  ListGroupsResponse answer{.error_code = code(listed.error), .groups = std::span(groups)};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
