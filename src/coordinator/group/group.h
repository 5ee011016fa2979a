// One classic group as its members know it: who is in, who waits for what, which generation.
// Nothing of this is kept; what is kept is StoredGroup (state.h). Only GroupCore changes it.
#pragma once
#include <map>
#include <set>

#include "coordinator/group/requests.h"
#include "coordinator/group/state.h"

namespace moldau::coordinator::group {

// empty: no members. preparing: members are to join again. completing: they have, and the leader's
// assignment is awaited. stable: everybody has, or can get, his part.
enum class Phase : uint8_t { empty, preparing, completing, stable };
std::string_view phase_name(Phase phase);  // as Kafka tells it

struct Member {
  std::string id;
  std::optional<std::string> instance;
  std::string client_id;
  std::string client_host;
  Duration session_timeout;
  Duration rebalance_timeout;
  std::vector<Protocol> protocols;
  std::optional<Token> joining;  // waits for the others
  std::optional<Token> syncing;  // waits for the leader's assignment
  bool is_new = false;           // has not been in a whole generation yet

  const std::string* metadata(std::string_view protocol) const;
};

struct Group {
  Phase phase = Phase::empty;
  int32_t generation = 0;
  std::string protocol_type;  // empty: nobody has joined yet
  std::optional<std::string> protocol;
  std::optional<std::string> leader;
  std::map<std::string, Member, std::less<>> members;
  std::map<std::string, std::string, std::less<>> statics;  // instance id -> member id
  std::set<std::string, std::less<>> promised;              // ids given to members yet to join
  std::set<std::string, std::less<>> unsynced;  // have not asked for their part of this generation
  // preparing: the first members of an empty group are waited for; how long at most.
  bool initial = false;
  Duration initial_left;
  bool more_came = false;  // since the last look
  // Topics that the members of this generation read; nothing if they are no consumers, or do not
  // say so in a way that is understood.
  std::optional<std::set<std::string, std::less<>>> topics;

  Member* find(std::string_view member);
  bool is_leader(std::string_view member) const { return leader == member; }
  size_t joining() const;
  bool all_joined() const { return joining() == members.size() && promised.empty(); }
  Duration rebalance_timeout() const;  // the longest of its members
  // With everybody that is in, this one could find a protocol that all have.
  bool fits(std::string_view type, const std::vector<Protocol>& protocols) const;
  // What most members would like, of what all have. There are members.
  std::string vote() const;
  // NONE, or why the member may not speak.
  ErrorCode check(std::string_view member, const std::optional<std::string>& instance) const;
  std::vector<JoinedMember> joined() const;
  // After the protocol was chosen.
  void read_topics();
};

// The topics of a consumer's subscription; nothing if the bytes are none.
std::optional<std::vector<std::string>> subscribed_topics(std::string_view metadata);

}  // namespace moldau::coordinator::group
