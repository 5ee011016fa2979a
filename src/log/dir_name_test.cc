// Every case was given to Apache Kafka 4.3.1's own parser and says what that says, except where
// noted.
#include "log/dir_name.h"

#include <gtest/gtest.h>

namespace moldau::log {
namespace {

constexpr const char* kUnique = "0123456789abcdef0123456789abcdef";
const Uuid kId{{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
                0xcd, 0xef}};

DirName named(DirKind kind, std::string partition) { return {kind, std::move(partition)}; }

TEST(DirName, KnowsPartitions) {
  EXPECT_EQ(parse_dir_name("orders-3"), named(DirKind::partition, "orders-3"));
  EXPECT_EQ(parse_dir_name("a-b-1"), named(DirKind::partition, "a-b-1"));
  EXPECT_EQ(parse_dir_name("a--1"), named(DirKind::partition, "a--1"));
  EXPECT_EQ(parse_dir_name("a-1.b-2"), named(DirKind::partition, "a-1.b-2"));
  EXPECT_EQ(parse_dir_name("x-delete-0"), named(DirKind::partition, "x-delete-0"));
}

TEST(DirName, KnowsWhatIsNoPartitionAnyMoreOrNotYet) {
  std::string base = std::string("or-ders.x-3.") + kUnique;
  EXPECT_EQ(parse_dir_name(base + "-delete"), named(DirKind::deleted, "or-ders.x-3"));
  EXPECT_EQ(parse_dir_name(base + "-future"), named(DirKind::future, "or-ders.x-3"));
  EXPECT_EQ(parse_dir_name(base + "-stray"), named(DirKind::stray, "or-ders.x-3"));
  EXPECT_EQ(parse_dir_name("orders-3.x-delete"), named(DirKind::deleted, "orders-3"));
}

TEST(DirName, LeavesTheRestAlone) {
  for (const char* name : {"lost+found", "foo", "-1", "a-", "a-99999999999", "x-delete",
                           "t-5-delete", "t-3.-delete", "remote-log-index-cache", "", "."})
    EXPECT_EQ(parse_dir_name(name), DirName()) << name;
  EXPECT_EQ(parse_dir_name(std::string("t-3.") + kUnique + "-removed"), DirName());
}

TEST(DirName, TakesASuffixAndIsCutWhereAFileSystemEnds) {
  EXPECT_EQ(dir_name_with_suffix("orders-3", DirKind::deleted, kId),
            std::string("orders-3.") + kUnique + "-delete");
  EXPECT_EQ(dir_name_with_suffix("orders-3", DirKind::stray, kId),
            std::string("orders-3.") + kUnique + "-stray");
  std::string topic(249, 't');
  for (DirKind kind : {DirKind::deleted, DirKind::future, DirKind::stray}) {
    std::string name = dir_name_with_suffix(topic + "-12", kind, kId);
    EXPECT_EQ(name.size(), 255u);
    DirName again = parse_dir_name(name);
    EXPECT_EQ(again.kind, kind);
    EXPECT_TRUE(again.partition.ends_with("t-12"));
  }
}

}  // namespace
}  // namespace moldau::log
