#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace moldau {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Errc::invalid, std::to_string(n) + " is odd");
  return n / 2;
}
Result<> no_more_than(int n, int limit) {
  if (n > limit) return fail(Errc::too_large, "limit " + std::to_string(limit));
  return {};
}
Result<std::string> quarter(int n, int* steps) {
  TRY(once, half(n));
  ++*steps;
  TRY_(no_more_than(once, 100));
  ++*steps;
  TRY(twice, half(once));
  ++*steps;
  return std::to_string(twice);
}
Result<std::unique_ptr<int>> boxed(int n) {
  TRY(value, half(n));
  return std::make_unique<int>(value);
}
Result<int> unboxed(int n) {
  TRY(box, boxed(n));
  std::unique_ptr<int> mine = std::move(box);  // what TRY names is the value itself, not a copy
  return *mine;
}

TEST(Result, TryNamesTheValueOrReturnsTheError) {
  int steps = 0;
  EXPECT_EQ(quarter(12, &steps).value(), "3");
  EXPECT_EQ(steps, 3);
  steps = 0;
  EXPECT_EQ(quarter(7, &steps).error().to_string(), "invalid: 7 is odd");
  EXPECT_EQ(steps, 0);
  EXPECT_EQ(quarter(6, &steps).error().to_string(), "invalid: 3 is odd");
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(quarter(300, &steps).error().code(), Errc::too_large);
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  EXPECT_EQ(unboxed(8).value(), 4);
  EXPECT_EQ(unboxed(9).error().code(), Errc::invalid);
}

TEST(Error, AddsThePlaceInFront) {
  EXPECT_EQ(fail(Errc::io).to_string(), "io");
  EXPECT_EQ(fail(Errc::io).in("writing 00.log").to_string(), "io: writing 00.log");
  EXPECT_EQ(fail(Errc::io, "EIO").in("writing 00.log").in("topic a").to_string(),
            "io: topic a: writing 00.log: EIO");
}

TEST(Error, EveryCodeHasItsOwnName) {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Errc::busy); i++) {
    std::string_view name = errc_name(static_cast<Errc>(i));
    EXPECT_NE(name, "?") << i;
    for (std::string_view other : names) EXPECT_NE(name, other);
    names.push_back(name);
  }
}

}  // namespace
}  // namespace moldau
