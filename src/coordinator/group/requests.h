// What members and administrators ask of a group, and what they get: values that own what they
// hold, because an answer may be given long after its request, and to requests of any version.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "wire/error_code.h"

namespace moldau::coordinator::group {

using wire::ErrorCode;

// Which waiting request an answer is for. Drawn by the driver, rising.
using Token = uint64_t;

// What a step sees of the outside.
struct Moment {
  Instant now;
  WallTime wall;
};

struct Protocol {
  std::string name;
  std::string metadata;
  bool operator==(const Protocol&) const = default;
};

struct JoinRequest {
  std::string group;
  std::string member;  // empty: a new one
  std::optional<std::string> instance;
  std::string client_id;
  std::string client_host;
  std::string protocol_type;
  std::vector<Protocol> protocols;  // the one that is liked best first
  Duration session_timeout;
  Duration rebalance_timeout;
  bool needs_member_id = false;  // version 4 and up: a new member is given its id first
  bool may_skip = false;         // version 9 and up: a leader may be told to leave things alone
  Uuid unique;                   // for the id of a new member
};
struct JoinedMember {
  std::string id;
  std::optional<std::string> instance;
  std::string metadata;
};
struct JoinAnswer {
  ErrorCode error = ErrorCode::none;
  int32_t generation = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::string leader;
  bool skip_assignment = false;
  std::string member;
  std::vector<JoinedMember> members;  // for the leader
};

// Who speaks, in a member's later requests.
struct Speaker {
  std::string group;
  std::string member;
  std::optional<std::string> instance;
  int32_t generation = -1;
};

struct Assignment {
  std::string member;
  std::string bytes;
};
struct SyncRequest {
  Speaker who;
  std::optional<std::string> protocol_type;  // nothing: a version that does not say
  std::optional<std::string> protocol;
  std::vector<Assignment> assignments;  // of the leader
};
struct SyncAnswer {
  ErrorCode error = ErrorCode::none;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::string assignment;
};

struct LeavingMember {
  std::string member;
  std::optional<std::string> instance;
};
struct LeaveAnswer {
  ErrorCode error = ErrorCode::none;
  std::vector<ErrorCode> members;  // as they were asked for
};

struct CommittedOffset {
  std::string topic;
  Uuid topic_id;
  int32_t partition = 0;
  int64_t offset = 0;
  int32_t leader_epoch = -1;
  std::string metadata;
  std::optional<int64_t> commit_millis;  // version 1 says it itself
};
struct CommitRequest {
  Speaker who;
  bool new_protocol_version = false;  // version 9 and up
  std::optional<int64_t> retention_millis;
  std::vector<CommittedOffset> offsets;
};

struct ListedGroup {
  std::string id;
  std::string protocol_type;
  std::string state;
  std::string_view type;
};
struct DescribedMember {
  std::string id;
  std::optional<std::string> instance;
  std::string client_id;
  std::string client_host;
  std::string metadata;
  std::string assignment;
};
struct DescribedGroup {
  ErrorCode error = ErrorCode::none;
  std::string message;  // of the error
  std::string state;
  std::string protocol_type;
  std::string protocol;
  std::vector<DescribedMember> members;
};

struct OffsetPlace {
  std::string topic;
  int32_t partition = 0;
};
struct DeleteOffsetsAnswer {
  ErrorCode error = ErrorCode::none;
  std::vector<ErrorCode> places;  // as they were asked for
};

}  // namespace moldau::coordinator::group
