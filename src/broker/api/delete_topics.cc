// DeleteTopics: by name, or by id from version 6 on. The files are gone when the reply leaves.
#include <algorithm>

#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "wire/messages/delete_topics.h"

namespace moldau::broker {

using wire::DeleteTopicsRequest;
using wire::DeleteTopicsResponse;
using wire::ErrorCode;
using Wanted = DeleteTopicsRequest::DeleteTopicState;
using Deleted = DeleteTopicsResponse::DeletableTopicResult;

namespace {

Deleted refuse(const Wanted& wanted, ErrorCode error, const char* text) {
  return {.name = wanted.name, .topic_id = wanted.topic_id, .error_code = code(error), .error_message = text};
}

// What can be said without looking at the catalog.
std::optional<Deleted> check(const std::vector<Wanted>& all, const Wanted& wanted) {
  bool has_id = !wanted.topic_id.is_zero();
  if (!wanted.name && !has_id) return refuse(wanted, ErrorCode::invalid_request, "Neither topic name nor id were specified.");
  if (wanted.name && has_id) return refuse(wanted, ErrorCode::invalid_request, "You may not specify both topic name and topic id.");
  if (std::ranges::count(all, wanted) > 1)
    return refuse(wanted, ErrorCode::invalid_request, has_id ? "Duplicate topic id." : "Duplicate topic name.");
  return std::nullopt;
}

host::Task<Deleted> remove(Request& request, Node& node, const Wanted& wanted) {
  std::shared_ptr<const Topics> topics = node.catalog.topics();
  const Topic* topic = wanted.name ? topics->find(*wanted.name) : topics->find(wanted.topic_id);
  if (!topic && wanted.name)
    co_return refuse(wanted, ErrorCode::unknown_topic_or_partition, "This server does not host this topic-partition.");
  if (!topic) co_return refuse(wanted, ErrorCode::unknown_topic_id, "This server does not host this topic ID.");
  Result<void> removed = co_await node.delete_topic(*topic);
  Deleted answer{.name = request.arena.copy(topic->name), .topic_id = topic->id};
  if (!removed) {
    answer.error_code = code(to_kafka(removed.error()));
    answer.error_message = request.arena.copy(removed.error().text());
  }
  co_return answer;
}

// Both forms of the request as one list.
std::vector<Wanted> wanted_topics(const DeleteTopicsRequest& body) {
  std::vector<Wanted> out(body.topics.begin(), body.topics.end());
  for (std::string_view name : body.topic_names) out.push_back({.name = name});
  return out;
}

}  // namespace

Answer delete_topics(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode_delete_topics_request(request->body, request->version));
  std::vector<Wanted> wanted = wanted_topics(body);
  std::vector<Deleted> results;
  for (size_t i = 0; i < wanted.size(); i++) {
    bool seen = std::find(wanted.begin(), wanted.begin() + static_cast<ptrdiff_t>(i), wanted[i]) != wanted.begin() + static_cast<ptrdiff_t>(i);
    if (seen) continue;
    std::optional<Deleted> refused = check(wanted, wanted[i]);
    if (refused) {
      results.push_back(*refused);
      continue;
    }
    Deleted deleted = co_await remove(*request, node, wanted[i]);
    results.push_back(deleted);
  }
  DeleteTopicsResponse answer{.responses = std::span<Deleted>(results)};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
