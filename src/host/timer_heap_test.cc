#include "host/timer_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/random.h"

namespace moldau::host {
namespace {

TEST(TimerHeap, FiresInOrderOfDeadlineThenOfArming) {
  TimerHeap heap;
  Timer a, b, c, d;
  a.at = {30}, b.at = {10}, c.at = {30}, d.at = {20};
  for (Timer* t : {&a, &b, &c, &d}) heap.arm(*t);
  EXPECT_EQ(heap.next(), Instant{10});
  std::vector<Timer*> fired;
  while (Timer* t = heap.pop_due({30})) fired.push_back(t);
  EXPECT_EQ(fired, std::vector<Timer*>({&b, &d, &a, &c}));
  EXPECT_TRUE(heap.empty());
  EXPECT_EQ(heap.next(), kNever);
}

TEST(TimerHeap, NothingIsDueEarly) {
  TimerHeap heap;
  Timer a;
  a.at = {10};
  heap.arm(a);
  EXPECT_EQ(heap.pop_due({9}), nullptr);
  EXPECT_EQ(heap.pop_due({10}), &a);
  EXPECT_EQ(a.slot, -1);
}

TEST(TimerHeap, ADisarmedTimerMayBeArmedAgain) {
  TimerHeap heap;
  Timer a, b;
  a.at = {10}, b.at = {20};
  heap.arm(a);
  heap.arm(b);
  heap.disarm(a);
  heap.disarm(a);
  a.at = {30};
  heap.arm(a);
  EXPECT_EQ(heap.pop_due({100}), &b);
  EXPECT_EQ(heap.pop_due({100}), &a);
}

TEST(TimerHeapDeathTest, ArmingTwiceStops) {
  TimerHeap heap;
  Timer a;
  heap.arm(a);
  EXPECT_DEATH(heap.arm(a), "armed twice");
}

// Against a sorted list, with arming, disarming and firing mixed.
TEST(TimerHeap, AgreesWithASortedList) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Random random(seed);
    TimerHeap heap;
    std::vector<std::unique_ptr<Timer>> timers(50);
    for (auto& t : timers) t = std::make_unique<Timer>();
    std::vector<Timer*> model;  // armed, in order of arming
    for (int step = 0; step < 500; step++) {
      Timer* t = timers[random.below(timers.size())].get();
      auto armed = std::ranges::find(model, t);
      if (armed != model.end()) {
        heap.disarm(*t);
        model.erase(armed);
      } else {
        t->at = {random.between(0, 40)};
        heap.arm(*t);
        model.push_back(t);
      }
      if (!random.one_in(10)) continue;
      Instant now{random.between(0, 40)};
      std::ranges::sort(model, {}, [](Timer* armed_one) {
        return std::pair(armed_one->at, armed_one->sequence);
      });
      while (Timer* due = heap.pop_due(now)) {
        ASSERT_FALSE(model.empty()) << "seed " << seed;
        ASSERT_EQ(due, model.front()) << "seed " << seed << " step " << step;
        model.erase(model.begin());
      }
      ASSERT_TRUE(model.empty() || model.front()->at > now) << "seed " << seed;
      // Back to the order of arming, which decides among equals.
      std::ranges::sort(model, {}, &Timer::sequence);
    }
  }
}

}  // namespace
}  // namespace moldau::host
