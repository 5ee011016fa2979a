// Our assignors against Kafka's, on groups at random; and how even they are.
#include "coordinator/group/consumer/assignor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>

#include "base/random.h"
#include "coordinator/group/consumer/kafka_assignments.h"

namespace moldau::coordinator::group {
namespace {

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  for (;;) {
    size_t end = text.find(by);
    out.push_back(text.substr(0, end));
    if (end == text.npos) return out;
    text.remove_prefix(end + 1);
  }
}

int32_t number(std::string_view text) {
  int32_t out = -1;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

// As the program that printed the lines draws them.
Uuid topic(uint64_t i) {
  uint64_t high = uint64_t{0x1234567} * (i + 1) * 0x9E3779B97F4A7C15;
  uint64_t low = uint64_t{0x7654321} * (i + 3) * 0xC2B2AE3D27D4EB4F;
  Uuid id;
  for (size_t b = 0; b < 8; b++) {
    id.bytes[b] = static_cast<uint8_t>(high >> (56 - 8 * b));
    id.bytes[8 + b] = static_cast<uint8_t>(low >> (56 - 8 * b));
  }
  return id;
}

Parts parts_of(std::string_view text) {
  Parts out;
  if (text.empty()) return out;
  for (std::string_view one : split(text, '+')) {
    std::vector<std::string_view> sides = split(one, ':');
    std::set<int32_t>& partitions = out[topic(static_cast<uint64_t>(number(sides[0])))];
    for (std::string_view p : split(sides[1], ',')) partitions.insert(number(p));
  }
  return out;
}

struct Case {
  std::string_view line;
  std::string_view assignor;
  KnownTopics topics;
  std::vector<Assignee> members;
  std::vector<Parts> given;
  bool mixed = false;
};

Case read(std::string_view line) {
  Case out{.line = line};
  std::vector<std::string_view> fields = split(line, ';');
  out.assignor = fields[0];
  std::vector<KnownTopic> topics;
  for (std::string_view count : split(fields[1], ',')) {
    uint64_t i = topics.size();
    topics.push_back({"topic" + std::to_string(i), topic(i), number(count)});
  }
  out.topics = KnownTopics(std::move(topics));
  for (size_t i = 2; i + 1 < fields.size(); i++) {
    std::vector<std::string_view> f = split(fields[i], '/');
    Assignee& one = out.members.emplace_back();
    one.member = f[0];
    if (!f[1].empty()) one.instance = f[1];
    for (char c : f[2]) one.topics.insert(topic(static_cast<uint64_t>(c - '0')));
    one.had = parts_of(f[3]);
    out.mixed = out.mixed || one.topics != out.members.front().topics;
  }
  for (std::string_view one : split(fields.back().substr(1), '|'))
    out.given.push_back(parts_of(one));
  return out;
}

std::vector<Case> cases() {
  std::vector<Case> out;
  for (std::string_view line : split(kKafkaAssigned, '\n'))
    if (!line.empty()) out.push_back(read(line));
  return out;
}

// How far from even, and how many partitions have come to somebody who did not have them.
std::pair<size_t, size_t> cost(const std::vector<Assignee>& members,
                               const std::vector<Parts>& given) {
  size_t squares = 0, moved = 0;
  for (size_t i = 0; i < members.size(); i++) {
    squares += count(given[i]) * count(given[i]);
    for (const auto& [id, partitions] : given[i])
      for (int32_t p : partitions) moved += !contains(members[i].had, id, p);
  }
  return {squares, moved};
}

TEST(Assignors, GiveWhatKafkasGive) {
  size_t compared = 0;
  for (const Case& one : cases()) {
    if (one.assignor == "uniform" && one.mixed) continue;
    std::vector<Parts> ours = assignor_named(one.assignor)(one.members, one.topics);
    EXPECT_EQ(ours, one.given) << one.line;
    compared++;
  }
  EXPECT_GT(compared, 100u);
}

// Where members read different topics there are many ways to be even, and Kafka's is another one.
TEST(Assignors, AreAsEvenAsKafkasWhereMembersReadDifferentTopics) {
  size_t compared = 0, our_moves = 0, kafkas_moves = 0;
  for (const Case& one : cases()) {
    if (one.assignor != "uniform" || !one.mixed) continue;
    std::vector<Parts> ours = assign_uniformly(one.members, one.topics);
    EXPECT_LE(cost(one.members, ours).first, cost(one.members, one.given).first) << one.line;
    our_moves += cost(one.members, ours).second;
    kafkas_moves += cost(one.members, one.given).second;
    compared++;
  }
  EXPECT_GT(compared, 20u);
  EXPECT_LE(our_moves, kafkas_moves + kafkas_moves / 10);
}

TEST(Assignors, GiveEachPartitionToOneOfItsReaders) {
  Random random(848);
  for (int round = 0; round < 100; round++) {
    KnownTopics topics({{"a", topic(0), 7}, {"b", topic(1), 3}, {"c", topic(2), 1}});
    std::vector<Assignee> members(1 + random.below(6));
    for (size_t i = 0; i < members.size(); i++) {
      members[i].member = "m" + std::to_string(i);
      for (uint64_t t = 0; t < 3; t++)
        if (random.one_in(2)) members[i].topics.insert(topic(t));
      // What it had may be gone, not its own any more, or of a topic that has shrunk.
      members[i].had[topic(random.below(4))].insert(static_cast<int32_t>(random.below(9)));
    }
    for (Assignor assign : {&assign_uniformly, &assign_ranges}) {
      std::vector<Parts> given = assign(members, topics);
      std::set<std::pair<Uuid, int32_t>> seen;
      for (size_t i = 0; i < members.size(); i++)
        for (const auto& [id, partitions] : given[i])
          for (int32_t p : partitions) {
            EXPECT_TRUE(members[i].topics.contains(id));
            EXPECT_TRUE(seen.insert({id, p}).second);
          }
      size_t wanted = 0;
      for (const KnownTopic& t : topics.all())
        if (std::ranges::any_of(members,
                                [&](const Assignee& m) { return m.topics.contains(t.id); }))
          wanted += static_cast<size_t>(t.partitions);
      EXPECT_EQ(seen.size(), wanted);
    }
  }
}

}  // namespace
}  // namespace moldau::coordinator::group
