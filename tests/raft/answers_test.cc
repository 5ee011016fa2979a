// Our core's answers beside those of Apache Kafka 4.3.1, in tests/compat/raft/answers.txt.
#include <gtest/gtest.h>

#include <charconv>
#include <fstream>
#include <map>
#include <sstream>

#include "raft/test_bench.h"

namespace moldau::raft::test {
namespace {

using Fields = std::map<std::string, std::string>;

int64_t number(const Fields& fields, const std::string& key, int64_t otherwise = 0) {
  auto found = fields.find(key);
  int64_t value = otherwise;
  if (found != fields.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}
ReplicaKey key_of(const Fields& fields, const std::string& id, const std::string& dir,
                  int64_t otherwise) {
  return replica(static_cast<int32_t>(number(fields, id, otherwise)),
                 static_cast<uint8_t>(number(fields, dir)));
}

Request request_of(const std::string& kind, const Fields& fields) {
  ClusterId cluster = "us";
  if (auto said = fields.find("cluster"); said != fields.end())
    cluster = said->second.empty() ? std::nullopt : ClusterId(said->second);
  LeaderEpoch epoch(static_cast<int32_t>(number(fields, "epoch")));
  OffsetAndEpoch end = end_at(number(fields, "end"), static_cast<int32_t>(number(fields, "last")));
  ReplicaKey by = key_of(fields, "by", "dir", 0), voter = key_of(fields, "voter", "vdir", 1);
  LeaderAndEpoch leader{BrokerId(static_cast<int32_t>(number(fields, "leader"))), epoch};
  Duration wait = milliseconds(number(fields, "wait"));
  if (kind == "vote") return VoteRequest{cluster, voter, by, epoch, end, fields.contains("pre")};
  if (kind == "begin") return BeginQuorumRequest{cluster, voter, leader, {}};
  if (kind == "end") return EndQuorumRequest{cluster, leader, {}, {}};
  if (kind == "snapshot") return FetchSnapshotRequest{cluster, by, epoch, end, 0, 1'000};
  ReplicaKey changed = key_of(fields, "voter", "dir", 0);
  if (kind == "add") return AddVoterRequest{cluster, seconds(1), {changed, {{"C", "h", 1}}, 0, 1}};
  if (kind == "remove") return RemoveVoterRequest{cluster, changed};
  EXPECT_EQ(kind, "fetch");
  return FetchRequest{cluster, by, epoch, end, wait, 1'000, {}};
}

std::string told(const Response& response) {
  auto top = std::visit([](const auto& r) { return static_cast<int>(r.top); }, response);
  if (top != 0) return fmt::format("top {}", top);
  std::string out = brief(response);
  auto* fetch = std::get_if<FetchResponse>(&response);
  if (fetch && fetch->diverging) out += fmt::format(" diverging {}", fetch->diverging->epoch);
  return out;
}

TEST(RaftAnswers, AreThoseOfApacheKafka) {
  std::ifstream file(MOLDAU_RAFT_ANSWERS);
  ASSERT_TRUE(file) << MOLDAU_RAFT_ANSWERS;
  std::unique_ptr<Bench> bench;
  int asked = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '=') {
      bench = std::make_unique<Bench>(line.starts_with("= leader") ? 1 : 2);
      continue;
    }
    size_t arrow = line.find(" -> "), bar = line.find(" | ");
    std::istringstream words(line.substr(0, arrow));
    std::string kind, word;
    words >> kind;
    Fields fields;
    while (words >> word) fields[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    std::string expected = bar == line.npos ? line.substr(arrow + 4) : line.substr(bar + 3);
    std::string answer =
        std::visit([&](const auto& r) { return told(bench->ask(r)); }, request_of(kind, fields));
    EXPECT_EQ(answer, expected) << line;
    asked++;
  }
  EXPECT_GT(asked, 50);
}

}  // namespace
}  // namespace moldau::raft::test
