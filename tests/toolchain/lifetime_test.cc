// Frames that are destroyed while they wait (a simulated crash does that), parameters, and tasks as
// values.
#include <tuple>
#include <utility>
#include <vector>

#include "shapes.h"

namespace shapes {
namespace {

TEST(ToolchainLifetime, LocalsOfAFrameThatDiesWaiting) {
  dies_waiting([]() -> Task<> {
    Tracked a;
    {
      Tracked b;
      co_await Suspend();
    }
    std::vector<Tracked> many(3);
    co_await never();
  });
}

TEST(ToolchainLifetime, TemporariesOfAnExpressionThatDiesWaiting) {
  dies_waiting([]() -> Task<> {
    auto use = [](const Tracked&, int n, const Tracked&) { return n; };
    Tracked local;
    int n = use(Tracked("x"), co_await never(), Tracked("y"));
    (void)n;
  });
}

TEST(ToolchainLifetime, AStructuredBindingThatDiesWaiting) {
  dies_waiting([]() -> Task<> {
    auto two = []() -> Task<std::pair<Tracked, Tracked>> {
      co_await Suspend();
      co_return std::pair<Tracked, Tracked>(Tracked("a"), Tracked("b"));
    };
    auto [a, b] = co_await two();
    co_await never();
    EXPECT_EQ(a.text, b.text);
  });
}

TEST(ToolchainLifetime, AChainOfTasksThatDiesWaiting) {
  dies_waiting([]() -> Task<> {
    auto inner = [](Tracked t) -> Task<size_t> {
      co_await never();
      co_return t.size();
    };
    auto outer = [inner](Tracked t) -> Task<size_t> {
      Tracked copy = t;
      size_t n = co_await inner(std::move(t));
      co_return n + copy.size();
    };
    size_t n = co_await outer(Tracked());
    (void)n;
  });
}

TEST(ToolchainLifetime, ATaskThatNeverRanFreesItsParameters) {
  finishes([]() -> Task<> {
    auto unused = [](Tracked, std::unique_ptr<Tracked>) -> Task<int> { co_return 1; };
    {
      Task<int> task = unused(Tracked(), std::make_unique<Tracked>());
    }
    EXPECT_EQ(live, 0);
    co_return;
  });
}

TEST(ToolchainLifetime, ATaskMadeOnOneLineAndAwaitedOnTheNext) {
  finishes([]() -> Task<> {
    Task<bool> task = answer(Tracked(), true);
    co_await Suspend();
    bool b = co_await std::move(task);
    EXPECT_TRUE(b);
  });
}

TEST(ToolchainLifetime, TasksInAVectorAndAsParameters) {
  finishes([]() -> Task<> {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 4; i++) tasks.push_back(number(i));
    int n = 0;
    for (Task<int>& t : tasks) n += co_await std::move(t);
    EXPECT_EQ(n, 6);
    auto all = []<class... A>(A... task) -> Task<int> {
      int sum = 0;
      ((sum += co_await std::move(task)), ...);
      co_return sum;
    };
    n = co_await all(number(1), number(2), number(3));
    EXPECT_EQ(n, 6);
  });
}

TEST(ToolchainLifetime, ValuesReturnedThroughSeveralTasks) {
  finishes([]() -> Task<> {
    struct Named {
      std::string name;
      Tracked value;
    };
    auto make = []() -> Task<Named> {
      co_await Suspend();
      co_return Named{std::string(40, 'x'), Tracked()};
    };
    auto forward = [make]() -> Task<Named> { co_return co_await make(); };
    Named n = co_await forward();
    EXPECT_EQ(n.name.size() + n.value.size(), 40 + kSize);
    std::string name = (co_await make()).name;
    EXPECT_EQ(name.size(), 40u);
  });
}

TEST(ToolchainLifetime, PairsAndOptionalsAsArguments) {
  finishes([]() -> Task<> {
    auto take = [](std::pair<std::string, Tracked> p, std::optional<Tracked> o) -> Task<size_t> {
      co_await Suspend();
      co_return p.first.size() + p.second.size() + o->size();
    };
    size_t n = co_await take(std::pair(std::string(40, 'x'), Tracked()),
                             std::optional<Tracked>(Tracked()));
    EXPECT_EQ(n, 40 + 2 * kSize);
  });
}

TEST(ToolchainLifetime, AnAwaiterThatContinuesAtOnce) {
  finishes([]() -> Task<> {
    struct AtOnce {
      bool await_ready() const { return false; }
      bool await_suspend(std::coroutine_handle<>) const { return false; }
      Tracked await_resume() const { return Tracked(); }
    };
    for (int i = 0; i < 100; i++) {
      Tracked t = co_await AtOnce();
      EXPECT_EQ(t.size(), kSize);
    }
  });
}

TEST(ToolchainLifetime, AnAwaiterThatCannotBeCopied) {
  finishes([]() -> Task<> {
    struct Pinned {
      int value = 5;
      Pinned() = default;
      Pinned(const Pinned&) = delete;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> h) const { suspended.push_back(h); }
      int await_resume() const { return value; }
    };
    Pinned pinned;
    int n = co_await pinned;
    EXPECT_EQ(n, 5);
  });
}

}  // namespace
}  // namespace shapes
