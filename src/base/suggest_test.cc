#include "base/suggest.h"

#include <gtest/gtest.h>

#include <vector>

namespace moldau {
namespace {

constexpr size_t kFar = 100;

TEST(EditDistance, CountsTheFourMistakesOfTyping) {
  EXPECT_EQ(edit_distance("", "", kFar), 0u);
  EXPECT_EQ(edit_distance("", "abc", kFar), 3u);
  EXPECT_EQ(edit_distance("abc", "", kFar), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting", kFar), 3u);
  EXPECT_EQ(edit_distance("ab", "ba", kFar), 1u);   // swapped
  EXPECT_EQ(edit_distance("ca", "abc", kFar), 3u);  // no letter moves twice
  EXPECT_EQ(edit_distance("log.dris", "log.dirs", kFar), 1u);
  EXPECT_EQ(edit_distance("LOG.dirs", "log.DIRS", kFar), 0u);
}

TEST(EditDistance, StopsAtItsLimit) {
  EXPECT_EQ(edit_distance("kitten", "sitting", 3), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting", 2), 3u);
  EXPECT_EQ(edit_distance("abcdef", "uvwxyz", 2), 3u);
  EXPECT_EQ(edit_distance("a", "abcdefgh", 2), 3u);
  EXPECT_EQ(edit_distance("ab", "ba", 0), 1u);
  EXPECT_EQ(edit_distance("xab", "xba", 1),
            1u);  // the row in the middle of a swap is above the limit
}

TEST(EditDistance, IsSymmetricAndAtMostTheLongerLength) {
  std::vector<std::string> words;
  for (int i = 0; i < 81; i++) {  // all words of four letters out of three
    std::string word;
    for (int n = i, k = 0; k < 4; k++, n /= 3) word += static_cast<char>('a' + n % 3);
    words.push_back(word);
  }
  for (const std::string& a : words)
    for (const std::string& b : words) {
      size_t distance = edit_distance(a, b, kFar);
      ASSERT_EQ(distance, edit_distance(b, a, kFar)) << a << " " << b;
      ASSERT_EQ(distance == 0, a == b);
      ASSERT_LE(distance, 4u);
      for (size_t limit = 0; limit < 4; limit++)
        ASSERT_EQ(edit_distance(a, b, limit), std::min(distance, limit + 1))
            << a << " " << b << " " << limit;
    }
}

constexpr std::string_view kKnown[] = {
    "log.dir",   "log.dirs", "log.retention.ms", "log.retention.minutes", "advertised.listeners",
    "listeners", "node.id"};

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("log.retension.ms", kKnown), "log.retention.ms");
  EXPECT_EQ(nearest("advertized.listners", kKnown), "advertised.listeners");
  EXPECT_EQ(nearest("Node.ID", kKnown), "node.id");
  EXPECT_EQ(nearest("log.dirss", kKnown), "log.dirs");
  EXPECT_EQ(nearest("log.dirx", kKnown), "log.dir");  // the first of two at distance one
}

TEST(Nearest, SaysNothingRatherThanNonsense) {
  EXPECT_EQ(nearest("zookeeper.connect", kKnown), std::nullopt);
  EXPECT_EQ(nearest("x", kKnown), std::nullopt);
  EXPECT_EQ(nearest("", kKnown), std::nullopt);
  EXPECT_EQ(nearest("log.dirs", {}), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'l'), kKnown), std::nullopt);
}

TEST(UnknownName, AsksWhetherItWasTheNearest) {
  EXPECT_EQ(unknown_name("key", "log.dris", "server.properties:12", kKnown),
            "unknown key log.dris (server.properties:12); did you mean log.dirs?");
  EXPECT_EQ(unknown_name("key", "whatever.it.is", "--override", kKnown),
            "unknown key whatever.it.is (--override)");
}

}  // namespace
}  // namespace moldau
