#include "base/ring.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace moldau {
namespace {

TEST(RingQueue, GivesBackInOrderOfArrival) {
  RingQueue<std::string> queue(3);
  EXPECT_TRUE(queue.push("a"));
  EXPECT_TRUE(queue.push("b"));
  EXPECT_EQ(queue.pop(), "a");
  EXPECT_TRUE(queue.push("c"));
  EXPECT_TRUE(queue.push("d"));  // in the slot of a
  EXPECT_EQ(queue[0], "b");
  EXPECT_EQ(queue[2], "d");
  EXPECT_EQ(queue.pop(), "b");
  EXPECT_EQ(queue.pop(), "c");
  EXPECT_EQ(queue.pop(), "d");
  EXPECT_TRUE(queue.empty());
}

TEST(RingQueue, RefusesWhatDoesNotFitAndLeavesItAlone) {
  RingQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_TRUE(queue.full());
  EXPECT_FALSE(queue.push(std::move(second)));
  ASSERT_NE(second, nullptr);  // NOLINT(bugprone-use-after-move): that is the promise
  EXPECT_EQ(*queue.pop(), 1);
  EXPECT_TRUE(queue.push(std::move(second)));
  EXPECT_EQ(*queue.pop(), 2);
}

TEST(RingQueue, DestroysWhatIsLeftAcrossTheEdge) {
  auto witness = std::make_shared<int>();
  {
    RingQueue<std::shared_ptr<int>> queue(4);
    for (int i = 0; i < 4; i++) ASSERT_TRUE(queue.push(witness));
    for (int i = 0; i < 3; i++) queue.pop();
    EXPECT_EQ(witness.use_count(), 2);
    for (int i = 0; i < 2; i++) ASSERT_TRUE(queue.push(witness));
    EXPECT_EQ(witness.use_count(), 4);
  }
  EXPECT_EQ(witness.use_count(), 1);
}

TEST(RingQueueDeathTest, TakesNothingOutOfAnEmptyQueue) {
  RingQueue<int> queue(1);
  EXPECT_DEATH(queue.pop(), "empty queue");
}

}  // namespace
}  // namespace moldau
