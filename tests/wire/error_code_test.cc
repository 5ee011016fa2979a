// Error codes against what Kafka's own classes say.
#include "wire/error_code.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

namespace moldau::wire {
namespace {

// tests/compat/wire/golden_errors.txt: what Kafka 4.3.1's classes say.
TEST(ErrorCode, AgreesWithKafkaOnCodesNamesAndRetries) {
  std::ifstream file(MOLDAU_WIRE_GOLDEN "/golden_errors.txt");
  int code = 0, last = -2;
  std::string name, retriable;
  while (file >> code >> name >> retriable) {
    const ErrorInfo& info = error_info(static_cast<ErrorCode>(code));
    EXPECT_EQ(info.name, name) << code;
    EXPECT_EQ(info.retriable, retriable == "true") << name;
    EXPECT_EQ(code, ++last);
  }
  EXPECT_EQ(last, 133);
}

TEST(ErrorCode, EnumeratorsStandAtTheirNumbers) {
  EXPECT_EQ(error_name(ErrorCode::unknown_server_error), "UNKNOWN_SERVER_ERROR");
  EXPECT_EQ(error_name(ErrorCode::none), "NONE");
  EXPECT_EQ(error_name(ErrorCode::rebootstrap_required), "REBOOTSTRAP_REQUIRED");
  EXPECT_EQ(error_name(ErrorCode::controller_id_not_registered), "CONTROLLER_ID_NOT_REGISTERED");
}

TEST(ErrorCode, UnassignedCodesAreUnknownErrors) {
  for (int code : {-2, 137, 32767, -32768})
    EXPECT_EQ(error_name(static_cast<ErrorCode>(code)), "UNKNOWN_SERVER_ERROR") << code;
}

TEST(ErrorCode, EachHasATextOfItsOwn) {
  std::set<std::string_view> texts;
  for (int code = -1; code <= 136; code++)
    EXPECT_TRUE(texts.insert(error_info(static_cast<ErrorCode>(code)).text).second);
}

}  // namespace
}  // namespace moldau::wire
