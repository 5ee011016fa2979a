// Temporaries, braces and lambdas within an awaiting expression: each shape must make and destroy
// every value once. Our own code uses none of the miscompiled ones (gate `syntax`); here they stand
// so that a compiler change shows.
#include <functional>
#include <initializer_list>
#include <utility>
#include <vector>

#include "shapes.h"

namespace shapes {
namespace {

struct Aggregate {
  std::string name;
  Tracked value;
};
struct Options {
  int a = 1;
  std::string name = "a default that does not fit into the string itself";
  Tracked value = Tracked();
};
struct Pair {
  Tracked first;
  Tracked second;
};
struct Constructed {
  std::string name;
  Tracked value;
  Constructed(std::string n, Tracked v) : name(std::move(n)), value(std::move(v)) {}
};

Task<size_t> by_value(Aggregate a) {
  co_await Suspend();
  co_return a.name.size() + a.value.size();
}
Task<size_t> by_reference(const Aggregate& a) {
  co_await Suspend();
  co_return a.name.size() + a.value.size();
}
Task<size_t> constructed(Constructed c) {
  co_await Suspend();
  co_return c.name.size() + c.value.size();
}
Task<size_t> options(Options o) {
  co_await Suspend();
  co_return static_cast<size_t>(o.a) + o.name.size() + o.value.size();
}
template <class F>
Task<size_t> call(F f) {
  co_await Suspend();
  co_return f();
}
Task<size_t> call_function(std::function<size_t()> f) {
  co_await Suspend();
  co_return f();
}
Task<size_t> total(std::initializer_list<std::string> list) {
  co_await Suspend();
  size_t sum = 0;
  for (const std::string& s : list) sum += s.size();
  co_return sum;
}
Task<size_t> length(const std::string& a, std::string b) {
  co_await Suspend();
  co_return a.size() + b.size();
}
size_t use(const Tracked& a, const Tracked& b, const std::string& c) {
  return a.size() + b.size() + c.size();
}
std::string forty() { return std::string(40, 'x'); }

TEST(ToolchainExpressions, AnAggregateArgumentByValue) {
  finishes([]() -> Task<> {
    size_t n = co_await by_value(Aggregate{forty(), Tracked()});
    EXPECT_EQ(n, 40 + kSize);
    n = co_await by_value({forty(), Tracked()});
    EXPECT_EQ(n, 40 + kSize);
  });
}

TEST(ToolchainExpressions, AnAggregateArgumentByReferenceLivesToTheEnd) {
  finishes([]() -> Task<> {
    size_t n = co_await by_reference({forty(), Tracked()});
    EXPECT_EQ(n, 40 + kSize);
  });
}

TEST(ToolchainExpressions, DesignatedInitialisersAndDefaults) {
  finishes([]() -> Task<> {
    size_t n = co_await options({.a = co_await number(4)});
    EXPECT_EQ(n, 4 + 50 + kSize);
    n = co_await options({});
    EXPECT_EQ(n, 1 + 50 + kSize);
  });
}

TEST(ToolchainExpressions, AConstructedArgument) {
  finishes([]() -> Task<> {
    size_t n = co_await constructed(Constructed(forty(), Tracked()));
    EXPECT_EQ(n, 40 + kSize);
  });
}

TEST(ToolchainExpressions, NamedFirstThenMoved) {
  finishes([]() -> Task<> {
    Aggregate a{forty(), Tracked()};
    size_t n = co_await by_value(std::move(a));
    EXPECT_EQ(n, 40 + kSize);
  });
}

TEST(ToolchainExpressions, ACapturingLambdaArgument) {
  finishes([]() -> Task<> {
    Tracked t;
    size_t n = co_await call([t] { return t.size(); });
    EXPECT_EQ(n, kSize);
    n = co_await call_function([t] { return t.size(); });
    EXPECT_EQ(n, kSize);
    auto named = [t] { return t.size(); };
    n = co_await call(std::move(named));
    EXPECT_EQ(n, kSize);
  });
}

TEST(ToolchainExpressions, AnImmediatelyCalledCoroutineLambda) {
  finishes([]() -> Task<> {
    Tracked t;
    size_t n = co_await [&t, k = Tracked("k")]() -> Task<size_t> {
      co_await Suspend();
      co_return t.size() + k.size();
    }();
    EXPECT_EQ(n, kSize + 1);
  });
}

TEST(ToolchainExpressions, AnInitializerListArgument) {
  finishes([]() -> Task<> {
    size_t n = co_await total({"abc", forty()});
    EXPECT_EQ(n, 43u);
  });
}

TEST(ToolchainExpressions, BracesAroundAwaits) {
  finishes([]() -> Task<> {
    Pair p{co_await tracked("a"), co_await tracked("b")};
    EXPECT_EQ(p.first.text + p.second.text, "ab");
    std::vector<std::string> v{co_await text("a"), co_await text("b")};
    EXPECT_EQ(v[0][0], 'a');
    EXPECT_EQ(v[1][0], 'b');
    std::vector<Aggregate> list;
    list.push_back({co_await text("k"), co_await tracked("v")});
    EXPECT_EQ(list[0].name.size(), kTextSize + 1);
    Tracked array[2] = {co_await tracked("x"), co_await tracked("y")};
    EXPECT_EQ(array[1].text, "y");
  });
}

TEST(ToolchainExpressions, TemporariesBesideAnAwait) {
  finishes([]() -> Task<> {
    size_t n = use(Tracked("x"), co_await tracked("ab"), forty());
    EXPECT_EQ(n, 43u);
    std::string s = "pre-" + co_await text("a") + std::string(40, '-') + co_await text("b");
    EXPECT_EQ(s.size(), 4 + 40 + 2 * (kTextSize + 1));
    n = co_await length(forty() + "yy", forty());
    EXPECT_EQ(n, 82u);
  });
}

TEST(ToolchainExpressions, NestedAwaitsAndMoveOnlyValues) {
  finishes([]() -> Task<> {
    auto pass = [](std::unique_ptr<Tracked> p, Tracked t) -> Task<std::unique_ptr<Tracked>> {
      co_await Suspend();
      EXPECT_EQ(t.text, "t");
      co_return std::move(p);
    };
    std::unique_ptr<Tracked> p =
        co_await pass(co_await pass(std::make_unique<Tracked>(), Tracked("t")), Tracked("t"));
    EXPECT_EQ(p->size(), kSize);
  });
}

TEST(ToolchainExpressions, ConditionalOperators) {
  finishes([]() -> Task<> {
    for (int i = 0; i < 2; i++) {
      Tracked both = i ? co_await tracked("a") : co_await tracked("b");
      EXPECT_EQ(both.text, i ? "a" : "b");
      std::string mixed = i ? co_await text("a") : "literal";
      EXPECT_EQ(mixed[0], i ? 'a' : 'l');
      Tracked tasks = co_await (i ? tracked("a") : tracked("b"));
      EXPECT_EQ(tasks.text, i ? "a" : "b");
      size_t n = co_await length(i ? forty() : std::string("b"), "");
      EXPECT_EQ(n, i ? 40u : 1u);
    }
  });
}

TEST(ToolchainExpressions, ShortCircuitAwaitsOnlyWhatItMust) {
  finishes([]() -> Task<> {
    static int asked = 0;
    auto is = [](Tracked, bool b) -> Task<bool> {
      co_await Suspend();
      asked++;
      co_return b;
    };
    asked = 0;
    bool both = co_await is(Tracked(), false) && co_await is(Tracked(), true);
    EXPECT_FALSE(both);
    EXPECT_EQ(asked, 1);
    bool either = co_await is(Tracked(), false) || co_await is(Tracked(), true);
    EXPECT_TRUE(either);
    EXPECT_EQ(asked, 3);
  });
}

TEST(ToolchainExpressions, AMemberCoroutineOfATemporary) {
  finishes([]() -> Task<> {
    struct Owner {
      Tracked value = Tracked();
      Task<size_t> run() {
        co_await Suspend();
        co_return value.size();
      }
    };
    size_t n = co_await Owner().run();
    EXPECT_EQ(n, kSize);
  });
}

TEST(ToolchainExpressions, DiscardedAndCommaValues) {
  finishes([]() -> Task<> {
    co_await tracked("a");
    (void)co_await tracked("b");
    int n = (co_await tracked("c"), co_await number(3));
    EXPECT_EQ(n, 3);
  });
}

TEST(ToolchainExpressions, StructuredBindings) {
  finishes([]() -> Task<> {
    auto two = []() -> Task<std::pair<Tracked, Tracked>> {
      co_await Suspend();
      co_return std::pair<Tracked, Tracked>(Tracked("a"), Tracked("b"));
    };
    auto [a, b] = co_await two();
    co_await Suspend();
    EXPECT_EQ(a.text + b.text, "ab");
  });
}

}  // namespace
}  // namespace shapes
