#include "raft/quorum_state.h"

#include <charconv>

namespace moldau::raft {
namespace {

// As much JSON as the file needs: one object of numbers, strings without escapes but \" and \\, and
// arrays of such objects.
class Json {
 public:
  explicit Json(std::string_view text) : left_(text) {}

  // Calls field(name) before each value; it reads the value, or returns false.
  template <class F>
  bool object(const F& field) {
    return list('{', '}', [&] {
      std::string name;
      return string(name) && take(':') && field(name);
    });
  }
  template <class F>
  bool array(const F& element) {
    return list('[', ']', element);
  }
  bool string(std::string& out) {
    if (!take('"')) return false;
    while (!left_.empty() && left_.front() != '"') {
      if (left_.front() == '\\') left_.remove_prefix(1);
      if (left_.empty()) return false;
      out += left_.front();
      left_.remove_prefix(1);
    }
    return take('"');
  }
  template <class T>
  bool number(T& out) {
    space();
    auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), out);
    left_.remove_prefix(static_cast<size_t>(end - left_.data()));
    return error == std::errc();
  }
  // A value that nobody asked for: a number, a string, or a word such as null.
  bool skip() {
    space();
    std::string unused;
    if (!left_.empty() && left_.front() == '"') return string(unused);
    size_t end = std::min(left_.find_first_of(",}] \t\r\n"), left_.size());
    left_.remove_prefix(end);
    return end > 0;
  }
  bool null() {
    space();
    if (!left_.starts_with("null")) return false;
    left_.remove_prefix(4);
    return true;
  }
  bool at_end() {
    space();
    return left_.empty();
  }

 private:
  void space() { left_.remove_prefix(std::min(left_.find_first_not_of(" \t\r\n"), left_.size())); }
  bool take(char c) {
    space();
    if (left_.empty() || left_.front() != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  template <class F>
  bool list(char open, char close, const F& element) {
    if (!take(open)) return false;
    if (take(close)) return true;
    do {
      if (!element()) return false;
    } while (take(','));
    return take(close);
  }

  std::string_view left_;
};

struct Fields {
  int64_t version = -1;
  QuorumState state;
  bool has_epoch = false, has_leader = false, has_vote = false;
};

bool read_voters(Json& json, std::vector<BrokerId>& out) {
  if (json.null()) return true;
  return json.array([&] {
    BrokerId id;
    bool good = json.object([&](const std::string& name) {
      return name == "voterId" ? json.number(id.value) : json.skip();
    });
    out.push_back(id);
    return good;
  });
}

bool read_directory(Json& json, Uuid& out) {
  std::string text;
  if (!json.string(text)) return false;
  Result<Uuid> id = Uuid::parse(text);
  if (id) out = *id;
  return id.has_value();
}

bool read_field(Json& json, const std::string& name, Fields& out) {
  if (name == "data_version") return json.number(out.version);
  if (name == "leaderEpoch") return out.has_epoch = json.number(out.state.epoch.value);
  if (name == "leaderId") return out.has_leader = json.number(out.state.leader.value);
  if (name == "votedId") return out.has_vote = json.number(out.state.voted.id.value);
  if (name == "votedDirectoryId") return read_directory(json, out.state.voted.directory);
  if (name == "currentVoters") return read_voters(json, out.state.voters);
  return json.skip();
}

}  // namespace

std::string encode_quorum_state(const QuorumState& state, int16_t version) {
  if (version > 0)
    return fmt::format(
        R"({{"leaderId":{},"leaderEpoch":{},"votedId":{},"votedDirectoryId":"{}","data_version":1}})",
        state.leader, state.epoch, state.voted.id, state.voted.directory.to_string());
  std::string voters;
  for (BrokerId id : state.voters)
    voters += fmt::format(R"({}{{"voterId":{}}})", voters.empty() ? "" : ",", id);
  return fmt::format(
      R"({{"clusterId":"","leaderId":{},"leaderEpoch":{},"votedId":{},"appliedOffset":0,"currentVoters":[{}],"data_version":0}})",
      state.leader, state.epoch, state.voted.id, voters);
}

Result<QuorumState> decode_quorum_state(std::string_view text) {
  Json json(text);
  Fields fields;
  bool whole = json.object([&](const std::string& name) { return read_field(json, name, fields); });
  if (!whole || !json.at_end())
    return fail(Errc::corrupt,
                "quorum-state is not one JSON object of the fields that it should have");
  if (fields.version < 0) return fail(Errc::corrupt, "quorum-state has no data_version");
  if (fields.version >= kQuorumStateVersions)
    return fail(Errc::unsupported,
                fmt::format("quorum-state has data_version {}; 0 and 1 are known: a "
                            "newer Kafka has written it",
                            fields.version));
  const QuorumState& state = fields.state;
  if (!fields.has_epoch || !fields.has_leader || !fields.has_vote || state.epoch.value < 0 ||
      state.leader.value < -1 || state.voted.id.value < -1)
    return fail(Errc::corrupt,
                "quorum-state lacks leaderId, leaderEpoch or votedId, or one of them "
                "is out of its domain");
  return fields.state;
}

}  // namespace moldau::raft
