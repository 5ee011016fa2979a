#include "broker/fetch_sessions.h"

#include <gtest/gtest.h>

namespace moldau::broker {
namespace {

using wire::ErrorCode;

struct FetchSessionsTest : testing::Test {
  FetchSessions sessions{{.slots = 3, .partitions = 100}};
  FetchTopicRef topic = std::make_shared<const FetchTopic>(FetchTopic{{}, "t"});
  Instant now = Instant() + seconds(1000);

  std::vector<FetchWish> wishes(std::vector<int32_t> partitions, int64_t offset = 0) const {
    std::vector<FetchWish> all;
    for (int32_t partition : partitions)
      all.push_back({.topic = topic, .partition = partition, .offset = offset});
    return all;
  }
  static FetchTold at(int64_t high_watermark, bool records = false) {
    return {.high_watermark = high_watermark, .log_start = 0, .records = records};
  }
  int32_t open(int32_t candidate, int32_t count, bool follower = false) {
    std::vector<int32_t> partitions;
    for (int32_t i = 0; i < count; i++) partitions.push_back(i);
    std::vector<FetchTold> told(partitions.size(), at(0));
    return sessions.open({.candidate = candidate, .follower = follower}, wishes(partitions), told,
                         now);
  }
  FetchSessions::Begun next(int32_t id, int32_t epoch, std::vector<FetchWish> added = {},
                            std::vector<FetchWish> forgotten = {}, bool by_id = false) {
    return sessions.begin({id, epoch, by_id, std::move(added), std::move(forgotten)}, now);
  }
  static std::vector<int32_t> order(const FetchSessions::Begun& begun) {
    std::vector<int32_t> out;
    for (const FetchWish& wish : begun.wishes) out.push_back(wish.partition);
    return out;
  }
  // Which are to be told of.
  std::vector<bool> tell(int32_t id, int32_t epoch, const std::vector<FetchTold>& told) {
    std::vector<bool> out;
    EXPECT_TRUE(sessions.finish(id, epoch, told, out));
    return out;
  }
};
using Order = std::vector<int32_t>;
using Tell = std::vector<bool>;

TEST_F(FetchSessionsTest, TellOnlyWhatHasChanged) {
  ASSERT_EQ(open(7, 3), 7);
  EXPECT_EQ(order(next(7, 1)), (Order{0, 1, 2}));
  EXPECT_EQ(tell(7, 1, {at(0), at(0), at(0)}), (Tell{false, false, false}));
  EXPECT_EQ(order(next(7, 2)), (Order{0, 1, 2}));
  EXPECT_EQ(tell(7, 2, {at(0), at(5), at(0)}), (Tell{false, true, false}));
  next(7, 3);
  EXPECT_EQ(tell(7, 3, {at(0), at(5), at(0)}), (Tell{false, false, false}));
  next(7, 4);
  FetchTold later = at(5);
  later.log_start = 2;
  FetchTold diverging = at(0);
  diverging.diverging = true;
  EXPECT_EQ(tell(7, 4, {{.failed = true}, later, diverging}), (Tell{true, true, true}));
  next(7, 5);
  EXPECT_EQ(tell(7, 5, {{.failed = true}, later, at(0)}), (Tell{true, false, false}))
      << "an error is told until it is over";
  next(7, 6);
  EXPECT_EQ(tell(7, 6, {at(0), later, at(0)}), (Tell{true, false, false})) << "its end is news";
}

TEST_F(FetchSessionsTest, LetThoseWithRecordsTakeTurns) {
  ASSERT_EQ(open(7, 3), 7);
  next(7, 1);
  tell(7, 1, {at(1, true), at(1, true), at(0)});
  EXPECT_EQ(order(next(7, 2)), (Order{2, 0, 1}));
  tell(7, 2, {at(1, true), at(1), at(1)});
  EXPECT_EQ(order(next(7, 3)), (Order{0, 1, 2}));
}

TEST_F(FetchSessionsTest, TakeChangesOver) {
  ASSERT_EQ(open(7, 2), 7);
  FetchSessions::Begun begun = next(7, 1, wishes({5, 1}, 9), wishes({0}));
  EXPECT_EQ(order(begun), (Order{1, 5}));
  EXPECT_EQ(begun.wishes[0].offset, 9);
  EXPECT_EQ(tell(7, 1, {at(0), at(0)}), (Tell{false, true})) << "a new one is told of";
  EXPECT_EQ(order(next(7, 2, wishes({8}), wishes({8, 77}))), (Order{1, 5}));
  EXPECT_EQ(sessions.partitions(), 2u);
  begun = next(7, 3, {}, wishes({1, 5}));
  EXPECT_EQ(begun.id, kNoSession);
  EXPECT_EQ(sessions.size(), 0u);
  EXPECT_EQ(sessions.partitions(), 0u);
}

TEST_F(FetchSessionsTest, RefuseWhatIsNotNext) {
  ASSERT_EQ(open(7, 2), 7);
  EXPECT_EQ(next(8, 1).error, ErrorCode::fetch_session_id_not_found);
  EXPECT_EQ(next(7, 2).error, ErrorCode::invalid_fetch_session_epoch);
  EXPECT_EQ(next(7, 1, {}, {}, true).error, ErrorCode::fetch_session_topic_id_error);
  EXPECT_EQ(next(7, 1).error, ErrorCode::none);
  EXPECT_EQ(next(7, 1).error, ErrorCode::invalid_fetch_session_epoch);
}

TEST_F(FetchSessionsTest, RefuseTheEndOfARequestThatAnotherOneOvertook) {
  ASSERT_EQ(open(7, 2), 7);
  next(7, 1);
  next(7, 2);
  std::vector<bool> out;
  EXPECT_FALSE(sessions.finish(7, 1, {at(0), at(0)}, out));
  EXPECT_TRUE(sessions.finish(7, 2, {at(0), at(0)}, out));
  sessions.close(7);
  EXPECT_FALSE(sessions.finish(7, 2, {at(0), at(0)}, out));
}

TEST_F(FetchSessionsTest, HaveRoomForSoManyAndTheOldestGivesWay) {
  for (int32_t id : {1, 2, 3}) EXPECT_EQ(open(id, 1), id);
  EXPECT_EQ(open(4, 1), kNoSession);
  EXPECT_EQ(open(4, 50), kNoSession) << "more important, but the others are young";
  now = now + seconds(100);
  next(1, 1);
  now = now + seconds(21);
  EXPECT_EQ(open(4, 1), 4) << "the second was not used for two minutes";
  EXPECT_TRUE(sessions.contains(1));
  EXPECT_FALSE(sessions.contains(2));
  EXPECT_EQ(sessions.evictions(), 1u);
}

TEST_F(FetchSessionsTest, SmallOnesThatHadTheirTimeGiveWayToLargerOnes) {
  EXPECT_EQ(open(1, 5), 1);
  EXPECT_EQ(open(2, 3), 2);
  EXPECT_EQ(open(3, 4), 3);
  int32_t epoch = 1;
  for (int i = 0; i < 2; i++, epoch++) {
    now = now + seconds(100);
    for (int32_t id : {1, 2, 3}) next(id, epoch);
  }
  EXPECT_EQ(open(4, 3), kNoSession) << "not larger than the smallest";
  EXPECT_EQ(open(4, 4), 4);
  EXPECT_FALSE(sessions.contains(2));
}

TEST_F(FetchSessionsTest, AFollowerTakesTheSlotOfAYoungConsumer) {
  EXPECT_EQ(open(1, 5, true), 1);
  EXPECT_EQ(open(2, 30), 2);
  EXPECT_EQ(open(3, 40), 3);
  EXPECT_EQ(open(4, 1, true), 4);
  EXPECT_FALSE(sessions.contains(2));
  EXPECT_EQ(open(5, 1, true), 5);
  EXPECT_EQ(open(6, 1, true), kNoSession) << "young followers' are safe";
}

TEST_F(FetchSessionsTest, HoldSoManyPartitionsAndNoMore) {
  EXPECT_EQ(open(1, 60), 1);
  EXPECT_EQ(open(2, 60), kNoSession);
  EXPECT_EQ(open(2, 30), 2);
  std::vector<int32_t> more;
  for (int32_t i = 100; i < 111; i++) more.push_back(i);
  EXPECT_EQ(next(1, 1, wishes(more)).error, ErrorCode::fetch_session_id_not_found);
  EXPECT_EQ(sessions.partitions(), 30u);
}

TEST_F(FetchSessionsTest, NoSlotsNoSessions) {
  FetchSessions none({.slots = 0});
  EXPECT_EQ(none.open({.candidate = 1}, wishes({0}), {at(0)}, now), kNoSession);
}

}  // namespace
}  // namespace moldau::broker
