// Awaits in conditions, loops and switches. With GCC 12 a coroutine without locals that awaits in a
// condition resumes at its start and never ends.
#include <optional>
#include <vector>

#include "shapes.h"

namespace shapes {
namespace {

TEST(ToolchainControlFlow, AnAwaitInAnIfConditionWithoutLocals) {
  finishes([]() -> Task<> {
    if (co_await number(3) != 3) ADD_FAILURE();
    if (co_await answer(Tracked(), false)) ADD_FAILURE();
  });
}

TEST(ToolchainControlFlow, AnAwaitInAWhileCondition) {
  finishes([]() -> Task<> {
    static int left;
    left = 3;
    auto more = [](Tracked) -> Task<bool> {
      co_await Suspend();
      co_return left-- > 0;
    };
    int turns = 0;
    while (co_await more(Tracked())) turns++;
    EXPECT_EQ(turns, 3);
    do turns++;
    while (co_await number(turns) < 6);
    EXPECT_EQ(turns, 6);
  });
}

TEST(ToolchainControlFlow, AWhileThatDeclaresWhatItAwaits) {
  finishes([]() -> Task<> {
    static int left;
    left = 3;
    auto next = []() -> Task<std::optional<Tracked>> {
      co_await Suspend();
      if (left-- > 0) co_return Tracked();
      co_return std::nullopt;
    };
    int turns = 0;
    while (auto value = co_await next()) {
      co_await Suspend();
      EXPECT_EQ(value->size(), kSize);
      turns++;
    }
    EXPECT_EQ(turns, 3);
  });
}

TEST(ToolchainControlFlow, AnAwaitInASwitch) {
  finishes([]() -> Task<> {
    switch (co_await number(2)) {
      case 2: {
        Tracked t;
        int n = co_await number(5);
        EXPECT_EQ(n, 5);
        break;
      }
      default:
        ADD_FAILURE();
    }
  });
}

TEST(ToolchainControlFlow, AnAwaitInAForLoop) {
  finishes([]() -> Task<> {
    int sum = 0;
    for (int i = 0; co_await number(i) < 4; i += co_await number(1)) sum += i;
    EXPECT_EQ(sum, 6);
  });
}

TEST(ToolchainControlFlow, ContinueAndBreakDestroyWhatTheyLeave) {
  finishes([]() -> Task<> {
    int n = 0;
    for (int i = 0; i < 10; i++) {
      Tracked t;
      int odd = co_await number(i % 2);
      if (odd) continue;
      Tracked u;
      int at = co_await number(i);
      if (at == 6) break;
      n += co_await number(1);
    }
    EXPECT_EQ(n, 3);
  });
}

TEST(ToolchainControlFlow, RangeForOverATemporaryWithAwaitsInside) {
  finishes([]() -> Task<> {
    auto awaited = []() -> Task<std::vector<Tracked>> {
      co_await Suspend();
      co_return std::vector<Tracked>(3);
    };
    size_t n = 0;
    for (const Tracked& t : std::vector<Tracked>(3)) {
      co_await Suspend();
      n += t.size();
    }
    for (const Tracked& t : co_await awaited()) {
      co_await Suspend();
      n += t.size();
    }
    EXPECT_EQ(n, 6 * kSize);
  });
}

TEST(ToolchainControlFlow, AnAwaitedPartOfACompoundAssignment) {
  finishes([]() -> Task<> {
    static int x;
    x = 1;
    auto bump = []() -> Task<int> {
      co_await Suspend();
      x += 10;
      co_return 1;
    };
    x += co_await bump();  // the right side comes first
    EXPECT_EQ(x, 12);
  });
}

TEST(ToolchainControlFlow, EarlyReturnFromNestedBlocks) {
  finishes([]() -> Task<> {
    auto leave = [](int when) -> Task<int> {
      Tracked outer;
      for (int i = 0; i < 3; i++) {
        Tracked inner;
        co_await Suspend();
        if (i == when) co_return i;
      }
      co_return -1;
    };
    for (int when = 0; when < 4; when++) {
      int got = co_await leave(when);
      EXPECT_EQ(got, when < 3 ? when : -1);
    }
  });
}

TEST(ToolchainControlFlow, AMillionTasksThatFinishAtOnceNeedNoStack) {
  finishes([]() -> Task<> {
    int64_t sum = 0;
    for (int i = 0; i < 1'000'000; i++) sum += co_await number_at_once(i);
    EXPECT_EQ(sum, 499'999'500'000);
  });
}

}  // namespace
}  // namespace shapes
