#include "coordinator/group/test_table.h"

#include <gtest/gtest.h>

#include "base/chain.h"
#include "wire/message.h"
#include "wire/messages/consumer_protocol_subscription.h"

namespace moldau::coordinator::group {

GroupConfig Table::quick() {
  GroupConfig config;
  config.initial_rebalance_delay = Duration();
  return config;
}

Token Table::join(const Joiner& joiner) {
  JoinRequest request{.group = joiner.group,
                      .member = joiner.member,
                      .instance = joiner.instance,
                      .client_id = "client",
                      .client_host = "/127.0.0.1",
                      .protocol_type = joiner.type,
                      .protocols = joiner.protocols,
                      .session_timeout = joiner.session,
                      .rebalance_timeout = joiner.rebalance,
                      .needs_member_id = joiner.two_steps && !joiner.instance,
                      .may_skip = joiner.may_skip,
                      .unique = {}};
  request.unique.bytes[15] = ++unique;
  Token token = next++;
  core.join(token, request, moment);
  take();
  tick();  // a group that begins waits for no time, but waits
  return token;
}

Token Table::sync(const std::string& member, int32_t generation,
                  const std::vector<Assignment>& assignments, const std::string& group) {
  Token token = next++;
  SyncRequest request{.who = {group, member, std::nullopt, generation},
                      .protocol_type = std::nullopt,
                      .protocol = std::nullopt,
                      .assignments = assignments};
  core.sync(token, request, moment);
  take();
  return token;
}

ErrorCode Table::heartbeat(const std::string& member, int32_t generation,
                           std::optional<std::string> instance) {
  ErrorCode error = core.heartbeat({"g", member, std::move(instance), generation}, moment);
  take();
  return error;
}

ErrorCode Table::leave(const std::string& member) {
  LeaveAnswer answer = core.leave("g", {{member, std::nullopt}}, moment);
  take();
  return answer.members.empty() ? answer.error : answer.members[0];
}

ErrorCode Table::commit(const std::string& member, int32_t generation, int64_t offset,
                        const std::string& group, const std::string& topic) {
  CommitRequest request{.who = {group, member, std::nullopt, generation},
                        .new_protocol_version = false,
                        .retention_millis = std::nullopt,
                        .offsets = {{.topic = topic,
                                     .topic_id = {},
                                     .partition = 0,
                                     .offset = offset,
                                     .leader_epoch = -1,
                                     .metadata = {},
                                     .commit_millis = std::nullopt}}};
  std::vector<ErrorCode> codes = core.commit(request, moment);
  take();
  return codes[0];
}

std::string Table::lone_member(const Joiner& joiner) {
  JoinAnswer joined = joins[join(joiner)];
  EXPECT_EQ(joined.error, ErrorCode::none);
  Token token = sync(joined.member, joined.generation, {{joined.member, "all"}}, joiner.group);
  EXPECT_EQ(syncs[token].error, ErrorCode::none);
  return joined.member;
}

ConsumerAnswer Table::beat(ConsumerHeartbeat request) {
  request.unique.bytes[15] = ++unique;
  ConsumerAnswer answer = core.consumer_heartbeat(request, moment);
  take();
  return answer;
}

void Table::set_topics(const std::vector<std::pair<std::string, int32_t>>& names) {
  std::vector<KnownTopic> known;
  for (const auto& [name, partitions] : names) {
    Uuid id;
    for (size_t i = 0; i < name.size(); i++) id.bytes[i % 16] ^= static_cast<uint8_t>(name[i]);
    known.push_back({name, id, partitions});
  }
  topics = std::make_shared<const KnownTopics>(std::move(known));
  core.know(topics);
}

void Table::compact() {
  std::map<std::vector<uint8_t>, size_t> last;
  for (size_t i = 0; i < log.size(); i++) last[log[i].key] = i;
  std::vector<RecordBytes> left;
  for (size_t i = 0; i < log.size(); i++)
    if (last[log[i].key] == i && log[i].value) left.push_back(std::move(log[i]));
  log = std::move(left);
}

ConsumerHeartbeat joining(const std::string& member, std::vector<std::string> topics) {
  ConsumerHeartbeat out;
  out.group = "g";
  out.member = member;
  out.rebalance_millis = 10'000;
  out.topics = std::move(topics);
  out.owned = Parts();
  out.client_id = "client";
  out.client_host = "/127.0.0.1";
  return out;
}

ConsumerHeartbeat beating(const std::string& member, int32_t epoch, std::optional<Parts> owned) {
  ConsumerHeartbeat out;
  out.group = "g";
  out.member = member;
  out.epoch = epoch;
  out.owned = std::move(owned);
  out.client_id = "client";
  out.client_host = "/127.0.0.1";
  return out;
}

void Table::pass(Duration time) {
  Instant until = moment.now + time;
  while (core.next_deadline() <= until) {
    Duration step = core.next_deadline() - moment.now;
    if (step > Duration()) {
      moment.now = moment.now + step;
      moment.wall.millis += step.millis();
    }
    tick();
  }
  moment.wall.millis += (until - moment.now).millis();
  moment.now = until;
}

void Table::tick() {
  core.tick(moment);
  take();
}

void Table::take() {
  Effects effects = core.take();
  for (RecordBytes& record : effects.records) log.push_back(std::move(record));
  for (Effects::Joined& one : effects.joins) {
    EXPECT_FALSE(joins.contains(one.token)) << "answered twice";
    joins[one.token] = std::move(one.answer);
  }
  for (Effects::Synced& one : effects.syncs) {
    EXPECT_FALSE(syncs.contains(one.token)) << "answered twice";
    syncs[one.token] = std::move(one.answer);
  }
}

void Table::restart(size_t kept) {
  core.unload(ErrorCode::not_coordinator);
  take();
  log.resize(std::min(kept, log.size()));
  for (const RecordBytes& record : log) {
    std::optional<Bytes> value;
    if (record.value) value = Bytes(*record.value);
    Result<std::optional<Record>> decoded = decode_record(record.key, value);
    ASSERT_TRUE(decoded && *decoded);
    core.load(**decoded);
  }
  core.loaded(moment);
  take();
}

int64_t Table::offset(const std::string& group, const std::string& topic) const {
  const StoredOffset* found = core.state().offset(group, topic, 0);
  return found ? found->offset : -1;
}

std::string subscription(const std::vector<std::string>& topics) {
  std::vector<std::string_view> views(topics.begin(), topics.end());
  wire::ConsumerProtocolSubscription message{.topics = std::span<std::string_view>(views)};
  Chain chain;
  uint8_t version[2] = {0, 1};
  chain.append(Bytes(version));
  wire::encode(message, 1, chain);
  std::vector<uint8_t> bytes = chain.flatten();
  return std::string(as_text(bytes));
}

}  // namespace moldau::coordinator::group
