#include <gtest/gtest.h>

#include "wire/apis.h"
#include "wire/filler.h"
#include "wire/round_trip.h"

namespace moldau::wire {
namespace {

TEST(Messages, EveryVersionSurvivesEncodeAndDecode) {
  for (const RoundTrip& message : round_trips())
    for (int16_t version = message.min_version; version <= message.max_version; version++)
      for (uint64_t seed = 0; seed < 50; seed++) {
        Arena arena;
        Filler filler(Random(seed), arena);
        Chain out;
        Result<void> result = message.random(filler, version, out);
        ASSERT_TRUE(result) << message.name << " v" << version << " seed " << seed << ": " << result.error().to_string();
      }
}

TEST(Messages, CutAnywhereIsAnErrorOrAMessageAndNeverMuchMemory) {
  for (const RoundTrip& message : round_trips())
    for (int16_t version = message.min_version; version <= message.max_version; version++) {
      Arena arena;
      Filler filler(Random(7), arena);
      Chain out;
      ASSERT_TRUE(message.random(filler, version, out));
      std::vector<uint8_t> bytes = out.flatten();
      for (size_t n = 0; n < bytes.size(); n++) {
        std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(n));
        Arena used;
        Result<void> result = message.again(cut, used, version);
        EXPECT_LE(used.bytes_used(), 200 * n + 200) << message.name << " v" << version;
        if (n + 1 < bytes.size() && !result) EXPECT_NE(result.error().text(), "");
      }
    }
}

TEST(Messages, HugeCountsAllocateNothing) {
  std::vector<uint8_t> hostile = {0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x0f};
  for (const RoundTrip& message : round_trips())
    for (int16_t version = message.min_version; version <= message.max_version; version++) {
      Arena arena;
      (void)message.again(hostile, arena, version);
      EXPECT_LE(arena.bytes_used(), 4096u) << message.name << " v" << version;
    }
}

TEST(Apis, ApiVersionsAnswersWithTheOldHeader) {
  const ApiInfo* api = find_api(18);
  ASSERT_TRUE(api);
  EXPECT_EQ(api->request_header(3), 2);
  EXPECT_EQ(api->response_header(3), 0);
  EXPECT_EQ(find_api(0)->response_header(9), 1);
  EXPECT_EQ(find_api(4711), nullptr);
}

}  // namespace
}  // namespace moldau::wire
