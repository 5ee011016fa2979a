#include "host/wait_set.h"

#include <gtest/gtest.h>

#include <memory>

#include "host/scope.h"
#include "host/test_loop.h"

namespace moldau::host {
namespace {

struct Seen {
  int raised = 0;
  int late = 0;
};

Task<void> wait(Loop& loop, Signal& a, Signal& b, Instant deadline, Seen& seen) {
  WaitSet set(loop);
  set.watch(a);
  set.watch(b);
  bool raised = co_await set.wait_until(deadline);
  raised ? seen.raised++ : seen.late++;
}
// Waits `times` times on a set that lives on.
Task<void> wait_often(Loop& loop, Signal& a, Event& between, int times, Seen& seen) {
  WaitSet set(loop);
  set.watch(a);
  for (int i = 0; i < times; i++) {
    bool raised = co_await set.wait_until(kNever);
    if (raised) seen.raised++;
    co_await between.wait();
  }
}

struct WaitSetTest : testing::Test {
  TestLoop loop;
  Signal a, b;
  Event between{loop};
  Seen seen;
  Scope scope{loop, "test"};
  Instant soon = loop.now() + milliseconds(1);
};

TEST_F(WaitSetTest, AnyOfTheSignalsEndsTheWait) {
  scope.spawn(wait(loop, a, b, kNever, seen));
  scope.spawn(wait(loop, a, b, kNever, seen));
  loop.run();
  b.raise();
  EXPECT_EQ(seen.raised, 0);  // a raise is mail
  loop.run();
  EXPECT_EQ(seen.raised, 2);
}

TEST_F(WaitSetTest, TheDeadlineEndsTheWait) {
  scope.spawn(wait(loop, a, b, soon, seen));
  loop.run();
  loop.advance(milliseconds(1));
  loop.run();
  EXPECT_EQ(seen.late, 1);
  a.raise();
  EXPECT_EQ(loop.mail(), 0u);  // nobody watches any more
}

TEST_F(WaitSetTest, ARaiseBeforeTheWaitIsRemembered) {
  scope.spawn(wait_often(loop, a, between, 2, seen));
  loop.run();
  a.raise();
  loop.run();
  EXPECT_EQ(seen.raised, 1);
  a.raise();  // the task looks elsewhere now
  loop.run();
  EXPECT_EQ(seen.raised, 1);
  between.notify_all();
  loop.run();
  EXPECT_EQ(seen.raised, 2);
}

TEST_F(WaitSetTest, AThousandRaisesAreOneMail) {
  scope.spawn(wait(loop, a, b, kNever, seen));
  loop.run();
  for (int i = 0; i < 1000; i++) a.raise();
  EXPECT_EQ(loop.mail(), 1u);
  loop.run();
  EXPECT_EQ(seen.raised, 1);
}

TEST_F(WaitSetTest, MailForASetThatIsGoneIsDropped) {
  scope.spawn(wait(loop, a, b, soon, seen));
  loop.run();
  loop.advance(milliseconds(1));
  a.raise();
  b.raise();
  EXPECT_EQ(loop.mail(), 2u);
  loop.run();
  EXPECT_EQ(seen.raised + seen.late, 1);
  scope.spawn(
      wait(loop, a, b, kNever, seen));  // takes the ticket's place: the old mail must not wake it
  loop.run();
  EXPECT_EQ(seen.raised + seen.late, 1);
  a.raise();
  loop.run();
}

TEST_F(WaitSetTest, RaiseAndDeadlineInOneTurnEndTheWaitOnce) {
  scope.spawn(wait(loop, a, b, soon, seen));
  loop.run();
  a.raise();
  loop.advance(milliseconds(1));
  loop.run();
  EXPECT_EQ(seen.raised + seen.late, 1);
}

TEST_F(WaitSetTest, ASignalMayDieAfterItsLastRaise) {
  auto dying = std::make_unique<Signal>();
  scope.spawn(wait_often(loop, *dying, between, 1, seen));
  scope.spawn(wait(loop, *dying, a, kNever, seen));
  loop.run();
  dying->raise();
  dying.reset();
  loop.run();
  EXPECT_EQ(seen.raised, 2);
  between.notify_all();
  loop.run();
  EXPECT_EQ(scope.running(), 0u);
}

TEST_F(WaitSetTest, ASignalMayDieWhileItIsWatched) {
  auto dying = std::make_unique<Signal>();
  scope.spawn(wait(loop, *dying, a, kNever, seen));
  loop.run();
  dying.reset();
  a.raise();
  loop.run();
  EXPECT_EQ(seen.raised, 1);
}

}  // namespace
}  // namespace moldau::host
