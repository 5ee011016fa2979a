// Fetch sessions (KIP-227): what consumers and followers have said they want, so that they need not
// say it again, and what they were told, so that only what has changed is told. Pure; sits in a
// host::Monitor of the node; used by broker/api/fetch.cc.
//
// A session's epoch rises with each of its requests. Between begin() and finish() of one request
// another one may come on the same session: then the first is refused at its end, and its order of
// partitions is still that of the session in the other case.
#pragma once
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "wire/error_code.h"

namespace moldau::broker {

constexpr int32_t kNoSession = 0;

// As the client names it: by its id from version 13 on, by its name before. Beside an id the name
// is there if there was such a topic when the client named it.
struct FetchTopic {
  Uuid id;
  std::string name;
  std::string_view key() const { return id.is_zero() ? std::string_view(name) : ""; }
};
using FetchTopicRef = std::shared_ptr<const FetchTopic>;

// One partition that is wanted, and how.
struct FetchWish {
  FetchTopicRef topic;
  int32_t partition = 0;
  int32_t leader_epoch = -1;
  int32_t last_fetched_epoch = -1;
  int32_t max_bytes = 0;
  int64_t offset = 0;
};

// What became of a wish in one answer. Of one that failed: no watermark, no start.
struct FetchTold {
  int64_t high_watermark = -1;
  int64_t last_stable = -1;  // alone it is not worth telling: it moves with what readers get to see
  int64_t log_start = -1;
  bool records = false;
  bool failed = false;
  bool diverging = false;
};

struct FetchSessionConfig {
  size_t slots = 1000;               // max.incremental.fetch.session.cache.slots
  Duration eviction = seconds(120);  // a session that is younger gives way only to a more important
  size_t partitions = 500'000;       // of all sessions: what they may hold is bounded
};

class FetchSessions {
 public:
  explicit FetchSessions(FetchSessionConfig config) : config_(config) {}

  // A session that is to be: of what a full fetch has told. Returns its id, or kNoSession if there
  // is no room. follower: it may take the place of a consumer's. candidate: drawn at random; above
  // 0.
  struct Opening {
    int32_t candidate = 0;
    bool follower = false;
    bool by_id = false;  // topics are named by their ids
  };
  int32_t open(Opening opening, std::vector<FetchWish> wishes, const std::vector<FetchTold>& told,
               Instant now);
  // Another candidate is needed.
  bool contains(int32_t id) const { return sessions_.contains(id); }
  void close(int32_t id);

  // The next request of a session. Takes the changes over and gives all its wishes, in order. In a
  // session that is left without any, the session is closed: then id is kNoSession. Errors:
  // fetch_session_id_not_found, invalid_fetch_session_epoch, fetch_session_topic_id_error.
  struct Request {
    int32_t id = kNoSession;
    int32_t epoch = 0;
    bool by_id = false;
    std::vector<FetchWish> wishes;
    std::vector<FetchWish> forgotten;  // topic and partition
  };
  struct Begun {
    wire::ErrorCode error = wire::ErrorCode::none;
    int32_t id = kNoSession;
    std::vector<FetchWish> wishes;
  };
  Begun begin(Request request, Instant now);

  // Its end: told is in the order of begin's wishes; says for each whether it is to be told. False:
  // another request of the session came in between (invalid_fetch_session_epoch). Those with
  // records go to the end of the session's order, so that all have their turn.
  bool finish(int32_t id, int32_t epoch, const std::vector<FetchTold>& told,
              std::vector<bool>& tell);

  size_t size() const { return sessions_.size(); }
  size_t partitions() const { return partitions_; }
  uint64_t evictions() const { return evictions_; }

 private:
  struct Entry {
    FetchWish wish;
    int64_t high_watermark = -1;  // as told last
    int64_t log_start = -1;
  };
  using Entries = std::list<Entry>;
  struct Key {
    FetchTopicRef topic;
    int32_t partition = 0;
    bool operator<(const Key& o) const {
      return std::tuple(topic->id, topic->key(), partition) <
             std::tuple(o.topic->id, o.topic->key(), o.partition);
    }
  };
  // Which gives way first: consumers', small ones.
  using Rank = std::tuple<bool, size_t, int32_t>;
  struct Session {
    int32_t id = kNoSession;
    int32_t epoch = 1;  // of the next request
    bool follower = false;
    bool by_id = false;
    Instant created;
    Instant used;
    Entries entries;
    std::map<Key, Entries::iterator> by_key;
    Rank rank() const { return {follower, entries.size(), id}; }
  };

  void insert(Session& session, FetchWish wish, const FetchTold& told);
  void change(Session& session, Request& request);
  void list(Session& session, Instant now);
  void unlist(Session& session);
  bool make_room(bool follower, size_t size, Instant now);

  const FetchSessionConfig config_;
  std::unordered_map<int32_t, Session> sessions_;
  std::set<std::pair<Instant, int32_t>> by_use_;
  std::set<Rank> gives_way_to_all_;        // those that are old enough
  std::set<Rank> gives_way_to_followers_;  // these, and all consumers'
  size_t partitions_ = 0;
  uint64_t evictions_ = 0;
};

}  // namespace moldau::broker
