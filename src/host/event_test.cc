#include "host/event.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host/test_loop.h"

namespace moldau::host {
namespace {

using Log = std::vector<std::string>;

Task<void> wait(Event& event, Instant deadline, std::string name, Log& log) {
  bool notified = co_await event.wait_until(deadline);
  log.push_back(name + (notified ? " notified" : " late"));
}

struct EventTest : testing::Test {
  TestLoop loop;
  Event event{loop};
  Log log;
  Scope scope{loop, "test"};
  Instant soon = loop.now() + milliseconds(1);
};

TEST_F(EventTest, WakesInTheOrderOfArrival) {
  for (const char* name : {"a", "b", "c"}) scope.spawn(wait(event, kNever, name, log));
  loop.run();
  event.notify_one();
  loop.run();
  EXPECT_EQ(log, Log({"a notified"}));
  event.notify_all();
  loop.run();
  EXPECT_EQ(log, Log({"a notified", "b notified", "c notified"}));
  EXPECT_FALSE(event.has_waiters());
}

TEST_F(EventTest, ADeadlineEndsTheWaitOnce) {
  scope.spawn(wait(event, soon, "a", log));
  loop.run();
  EXPECT_TRUE(event.has_waiters());
  loop.advance(milliseconds(1));
  loop.run();
  event.notify_all();
  loop.run();
  EXPECT_EQ(log, Log({"a late"}));
}

TEST_F(EventTest, NotifyBeatsADeadlineThatHasPassedButNotFired) {
  scope.spawn(wait(event, soon, "a", log));
  loop.run();
  loop.advance(milliseconds(5));
  event.notify_all();
  loop.run();
  EXPECT_EQ(log, Log({"a notified"}));
}

TEST_F(EventTest, ADeadlineInThePastDoesNotWait) {
  scope.spawn(wait(event, loop.now(), "a", log));
  loop.run();
  EXPECT_EQ(log, Log({"a late"}));
}

TEST_F(EventTest, ANotifyWithoutWaitersIsNotRemembered) {
  event.notify_all();
  scope.spawn(wait(event, soon, "a", log));
  loop.run();
  EXPECT_TRUE(log.empty());
  loop.advance(milliseconds(1));
  loop.run();
  EXPECT_EQ(log, Log({"a late"}));
}

Task<void> wait_again(Event& event, Log& log) {
  for (int i = 0; i < 2; i++) {
    co_await event.wait();
    log.push_back("woken");
  }
}

TEST_F(EventTest, AWaiterThatWaitsAgainIsNotWokenByTheSameNotify) {
  scope.spawn(wait_again(event, log));
  loop.run();
  event.notify_all();
  loop.run();
  EXPECT_EQ(log.size(), 1u);
  event.notify_all();
  loop.run();
  EXPECT_EQ(log.size(), 2u);
}

}  // namespace
}  // namespace moldau::host
