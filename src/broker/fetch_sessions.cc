#include "broker/fetch_sessions.h"

#include <limits>
#include <utility>

namespace moldau::broker {

using wire::ErrorCode;

void FetchSessions::insert(Session& session, FetchWish wish, const FetchTold& told) {
  Key key{wish.topic, wish.partition};
  auto found = session.by_key.find(key);
  if (found != session.by_key.end()) {
    wish.topic = found->second->wish.topic;
    found->second->wish = std::move(wish);
    return;
  }
  session.entries.push_back({std::move(wish), told.high_watermark, told.log_start});
  session.by_key.emplace(std::move(key), std::prev(session.entries.end()));
  partitions_++;
}

int32_t FetchSessions::open(Opening opening, std::vector<FetchWish> wishes,
                            const std::vector<FetchTold>& told, Instant now) {
  bool room = wishes.size() <= config_.partitions &&
              make_room(opening.follower, wishes.size(), now) &&
              partitions_ + wishes.size() <= config_.partitions;
  if (!room) return kNoSession;
  Session& session = sessions_[opening.candidate];
  session.id = opening.candidate;
  session.follower = opening.follower;
  session.by_id = opening.by_id;
  session.created = session.used = now;
  for (size_t i = 0; i < wishes.size(); i++) insert(session, std::move(wishes[i]), told[i]);
  list(session, now);
  return session.id;
}

// As Kafka's rule: one that nobody has used for long; else one that is less important than the new
// one and has had its time.
bool FetchSessions::make_room(bool follower, size_t size, Instant now) {
  if (sessions_.size() < config_.slots) return true;
  if (sessions_.empty()) return false;
  auto [used, oldest] = *by_use_.begin();
  if (now - used > config_.eviction) {
    evictions_++;
    close(oldest);
    return true;
  }
  const std::set<Rank>& candidates = follower ? gives_way_to_followers_ : gives_way_to_all_;
  Rank mine{follower, size, kNoSession};
  if (candidates.empty() || mine < *candidates.begin()) return false;
  evictions_++;
  close(std::get<2>(*candidates.begin()));
  return true;
}

void FetchSessions::list(Session& session, Instant now) {
  session.used = now;
  by_use_.emplace(now, session.id);
  bool old = now - session.created > config_.eviction;
  if (old) gives_way_to_all_.insert(session.rank());
  if (old || !session.follower) gives_way_to_followers_.insert(session.rank());
}

void FetchSessions::unlist(Session& session) {
  by_use_.erase({session.used, session.id});
  gives_way_to_all_.erase(session.rank());
  gives_way_to_followers_.erase(session.rank());
}

void FetchSessions::close(int32_t id) {
  auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  unlist(found->second);
  partitions_ -= found->second.entries.size();
  sessions_.erase(found);
}

void FetchSessions::change(Session& session, Request& request) {
  for (FetchWish& wish : request.wishes) insert(session, std::move(wish), {});
  for (FetchWish& gone : request.forgotten) {
    auto found = session.by_key.find(Key{gone.topic, gone.partition});
    if (found == session.by_key.end()) continue;
    session.entries.erase(found->second);
    session.by_key.erase(found);
    partitions_--;
  }
}

FetchSessions::Begun FetchSessions::begin(Request request, Instant now) {
  auto found = sessions_.find(request.id);
  if (found == sessions_.end())
    return {.error = ErrorCode::fetch_session_id_not_found, .wishes = {}};
  Session& session = found->second;
  if (session.by_id != request.by_id)
    return {.error = ErrorCode::fetch_session_topic_id_error, .wishes = {}};
  if (session.epoch != request.epoch)
    return {.error = ErrorCode::invalid_fetch_session_epoch, .wishes = {}};
  if (partitions_ + request.wishes.size() > config_.partitions) {
    close(request.id);  // the client begins anew with a full fetch, and stays without a session
    return {.error = ErrorCode::fetch_session_id_not_found, .wishes = {}};
  }
  unlist(session);
  change(session, request);
  session.epoch = session.epoch == std::numeric_limits<int32_t>::max() ? 1 : session.epoch + 1;
  list(session, now);
  Begun begun{.id = session.id, .wishes = {}};
  begun.wishes.reserve(session.entries.size());
  for (const Entry& entry : session.entries) begun.wishes.push_back(entry.wish);
  if (session.entries.empty()) {
    close(session.id);
    begun.id = kNoSession;
  }
  return begun;
}

bool FetchSessions::finish(int32_t id, int32_t epoch, const std::vector<FetchTold>& told,
                           std::vector<bool>& tell) {
  auto found = sessions_.find(id);
  int32_t next = epoch == std::numeric_limits<int32_t>::max() ? 1 : epoch + 1;
  if (found == sessions_.end() || found->second.epoch != next) return false;
  Session& session = found->second;
  if (session.entries.size() != told.size()) return false;  // another session that got its number
  tell.assign(told.size(), false);
  auto entry = session.entries.begin();
  for (size_t i = 0; i < told.size(); i++) {
    auto here = entry++;
    const FetchTold& one = told[i];
    tell[i] = one.records || one.failed || one.diverging ||
              here->high_watermark != one.high_watermark || here->log_start != one.log_start;
    here->high_watermark = one.high_watermark;
    here->log_start = one.log_start;
    if (one.records) session.entries.splice(session.entries.end(), session.entries, here);
  }
  return true;
}

}  // namespace moldau::broker
