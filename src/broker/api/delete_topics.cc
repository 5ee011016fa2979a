// DeleteTopics: by name, or by id from version 6 on. The files are gone when the reply leaves.
#include <map>
#include <set>

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
  return {.name = wanted.name,
          .topic_id = wanted.topic_id,
          .error_code = code(error),
          .error_message = text};
}

// What the request says of each topic: by name, or by id.
using Key = std::pair<std::optional<std::string_view>, Uuid>;
Key key(const Wanted& wanted) { return {wanted.name, wanted.topic_id}; }

// What can be said without looking at the catalog.
std::optional<Deleted> check(const Wanted& wanted, int mentions) {
  bool has_id = !wanted.topic_id.is_zero();
  if (!wanted.name && !has_id)
    return refuse(wanted, ErrorCode::invalid_request, "Neither topic name nor id were specified.");
  if (wanted.name && has_id)
    return refuse(wanted, ErrorCode::invalid_request,
                  "You may not specify both topic name and topic id.");
  if (mentions > 1)
    return refuse(wanted, ErrorCode::invalid_request,
                  has_id ? "Duplicate topic id." : "Duplicate topic name.");
  return std::nullopt;
}

host::Task<Deleted> remove(Request& request, Node& node, const Wanted& wanted) {
  std::shared_ptr<const Topics> topics = node.catalog.topics();
  const Topic* topic = wanted.name ? topics->find(*wanted.name) : topics->find(wanted.topic_id);
  if (!topic && wanted.name)
    co_return refuse(wanted, ErrorCode::unknown_topic_or_partition,
                     "This server does not host this topic-partition.");
  if (!topic)
    co_return refuse(wanted, ErrorCode::unknown_topic_id,
                     "This server does not host this topic ID.");
  Result<void> removed = co_await node.delete_topic(*topic);
  Deleted answer{.name = request.arena.copy(topic->name), .topic_id = topic->id};
  if (!removed) {
    answer.error_code = code(to_kafka(removed.error()));
    answer.error_message = request.arena.copy(removed.error().text());
  }
  co_return answer;
}

// A topic that is asked for by its name and by its id is not deleted; the name's entry says so, the
// id's is left out.
void refuse_named_twice(const Topics& topics, std::vector<Wanted>& wanted,
                        std::vector<Deleted>& results) {
  std::set<Uuid> ids;
  for (const Wanted& one : wanted)
    if (!one.name) ids.insert(one.topic_id);
  std::set<Uuid> twice;
  std::erase_if(wanted, [&](const Wanted& one) {
    const Topic* topic = one.name && one.topic_id.is_zero() ? topics.find(*one.name) : nullptr;
    if (!topic || !ids.contains(topic->id)) return false;
    if (twice.insert(topic->id).second)
      results.push_back(refuse({.name = one.name, .topic_id = topic->id},
                               ErrorCode::invalid_request,
                               "The provided topic name maps to an ID that was already supplied."));
    return true;
  });
  std::erase_if(wanted,
                [&](const Wanted& one) { return !one.name && twice.contains(one.topic_id); });
}

// Both forms of the request as one list.
std::vector<Wanted> wanted_topics(const DeleteTopicsRequest& body) {
  std::vector<Wanted> out(body.topics.begin(), body.topics.end());
  for (std::string_view name : body.topic_names) out.push_back({.name = name});
  return out;
}

// With delete.topic.enable=false. Version 3 brought an error of its own for it.
std::vector<Deleted> refuse_all(const std::vector<Wanted>& wanted, int16_t version) {
  std::vector<Deleted> results;
  ErrorCode error = version < 3 ? ErrorCode::invalid_request : ErrorCode::topic_deletion_disabled;
  for (const Wanted& one : wanted)
    results.push_back({.name = one.name, .topic_id = one.topic_id, .error_code = code(error)});
  return results;
}

}  // namespace

Answer delete_topics(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<wire::DeleteTopicsRequest>(request->body, request->version, request->arena));
  std::vector<Wanted> wanted = wanted_topics(body);
  std::vector<Deleted> results;
  if (!node.config.delete_topics) {
    results = refuse_all(wanted, request->version);
    wanted.clear();
  }
  refuse_named_twice(*node.catalog.topics(), wanted, results);
  std::map<Key, int> mentions;
  for (const Wanted& one : wanted) mentions[key(one)]++;
  for (const Wanted& one : wanted) {
    int times = std::exchange(mentions[key(one)], 0);
    if (times == 0) continue;  // answered
    std::optional<Deleted> refused = check(one, times);
    if (refused) {
      results.push_back(*refused);
      continue;
    }
    Deleted deleted = co_await remove(*request, node, one);
    results.push_back(deleted);
  }
  DeleteTopicsResponse answer{.responses = std::span<Deleted>(results)};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
