// Messages that Kafka's own classes encoded (tests/compat/wire/golden_messages.txt, made by
// make-golden beside it): we read them, show the same JSON, and write the same bytes.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "wire/fill.h"
#include "wire/info.h"
#include "wire/message.h"

namespace moldau::wire {
namespace {

struct Golden {
  const MessageInfo* info;
  int16_t version;
  std::vector<uint8_t> bytes;
  std::string json;  // "-": not given
};

std::vector<uint8_t> from_hex(std::string_view hex) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return out;
}

const std::vector<Golden>& all_golden() {
  static const std::vector<Golden> all = [] {
    std::map<std::string, const MessageInfo*> by_name;
    for (const MessageInfo* info : all_messages()) by_name[info->name] = info;
    std::vector<Golden> out;
    std::ifstream file(MOLDAU_WIRE_GOLDEN "/golden_messages.txt");
    std::string name, hex, json;
    int version = 0;
    while (file >> name >> version >> hex && file.get() && std::getline(file, json))
      out.push_back({by_name[name], static_cast<int16_t>(version), from_hex(hex), json});
    return out;
  }();
  return all;
}

std::string place(const Golden& golden) {
  return fmt::format("{} v{}", golden.info->name, golden.version);
}

// The messages of the hot path and the headers; ./dev compat wire does the same with all messages.
TEST(Golden, CoversEveryVersionOfItsMessages) {
  std::set<std::string> have;
  std::set<const MessageInfo*> messages;
  for (const Golden& golden : all_golden()) {
    have.insert(place(golden));
    messages.insert(golden.info);
  }
  EXPECT_EQ(messages.size(), 20u);
  for (const MessageInfo* info : messages) {
    for (int16_t v = info->min_version; v <= info->max_version; v++)
      EXPECT_TRUE(have.contains(fmt::format("{} v{}", info->name, v))) << info->name << " v" << v;
  }
}

TEST(Golden, ReadsWhatKafkaWroteAndWritesTheSameBytes) {
  ASSERT_FALSE(all_golden().empty());
  for (const Golden& golden : all_golden()) {
    Arena arena;
    void* message = make_default(*golden.info, arena);
    Bytes rest;
    Result<void> done =
        decode_into(*golden.info, message, golden.bytes, golden.version, arena, &rest);
    ASSERT_TRUE(done) << done.error().to_string();
    EXPECT_EQ(rest.size(), 0u) << place(golden);
    Chain chain;
    encode_any(*golden.info, message, golden.version, chain);
    EXPECT_EQ(chain.flatten(), golden.bytes) << place(golden);
    if (golden.json != "-")
      EXPECT_EQ(print_any(*golden.info, message, golden.version), golden.json) << place(golden);
  }
}

TEST(Golden, CutAnywhereIsAnError) {
  for (const Golden& golden : all_golden()) {
    size_t step = 1 + golden.bytes.size() / 200;
    for (size_t n = 0; n < golden.bytes.size(); n += step) {
      std::vector<uint8_t> cut(golden.bytes.begin(),
                               golden.bytes.begin() + static_cast<ptrdiff_t>(n));
      Arena arena;
      Result<void> done =
          decode_into(*golden.info, make_default(*golden.info, arena), cut, golden.version, arena);
      ASSERT_FALSE(done) << place(golden) << " cut to " << n;
      EXPECT_EQ(done.error().code(), Errc::truncated);
    }
  }
}

}  // namespace
}  // namespace moldau::wire
