// Conversion for old consumers, against what Kafka 3.9 made of the same batches
// (tests/compat/wire/golden_converted.txt).
#include "wire/down_convert.h"

#include <gtest/gtest.h>

#include "golden_batch.h"

namespace moldau::wire {
namespace {

struct Conversion {
  std::string name;
  int magic = 0;
  int64_t from = 0;
  std::vector<uint8_t> in, result;
  bool refused = false;
};

std::vector<Conversion> conversions() {
  std::vector<Conversion> out;
  std::ifstream file(MOLDAU_WIRE_GOLDEN "/golden_converted.txt");
  for (std::string line, word, hex; std::getline(file, line);) {
    std::istringstream in(line);
    in >> word;
    if (word == "convert") {
      Conversion& c = out.emplace_back();
      in >> c.name >> c.magic >> c.from >> hex;
      c.in = bytes_from_hex(hex);
    } else if (word == "refused") {
      out.back().refused = true;
    } else {
      in >> hex;
      if (hex != "-") out.back().result = bytes_from_hex(hex);
    }
  }
  return out;
}

// The set as text: every batch by what its header says, every record by what it is.
std::string describe(Bytes set) {
  std::string out;
  Inflater inflater;
  SetWalk walk(set, BatchWalk::Torn::refuse);
  while (walk.next()) {
    const LegacyMessage& m = walk.batch().message;
    EXPECT_TRUE(check_any_crc(walk.batch()));
    out += fmt::format("batch {} {} {} {}\n", m.magic, m.offset, m.attributes, m.timestamp);
    BatchRecords records(inflater);
    Result<void> opened = records.open(walk.batch());
    EXPECT_TRUE(opened) << opened.error().to_string();
    while (opened && records.next()) {
      const AnyRecord& r = records.record();
      out += fmt::format("{} {} {} {}\n", r.offset, r.timestamp, hex_of(r.key), hex_of(r.value));
    }
  }
  EXPECT_TRUE(walk.finish());
  return out;
}

TEST(DownConvert, GivesOldConsumersWhatKafkaGaveThem) {
  std::vector<Conversion> all = conversions();
  ASSERT_GT(all.size(), 90u);
  Inflater inflater;
  for (const Conversion& c : all) {
    std::string place = fmt::format("{} to format {}", c.name, c.magic);
    auto got = down_convert(c.in, static_cast<int8_t>(c.magic), Offset(c.from), inflater);
    ASSERT_EQ(got.has_value(), !c.refused) << place;
    if (!got) {
      EXPECT_EQ(got.error().code(), Errc::unsupported) << place;
      continue;
    }
    EXPECT_EQ(describe(*got), describe(c.result)) << place;
    bool plain = c.name.find("none") == 0;
    if (plain) EXPECT_EQ(hex_of(Bytes(*got)), hex_of(Bytes(c.result))) << place;
  }
}

TEST(LegacyMessages, AreWrittenAsTheyAreRead) {
  for (const Conversion& c : conversions()) {
    SetWalk walk(c.result, BatchWalk::Torn::refuse);
    std::vector<uint8_t> again;
    while (walk.next()) write_legacy_message(walk.batch().message, again);
    EXPECT_EQ(again, c.result) << c.name;
  }
}

TEST(LegacyMessages, AnyFlippedBitUnderTheChecksumIsCorrupt) {
  std::vector<uint8_t> set = conversions().front().result;
  auto first = read_legacy_message(set);
  ASSERT_TRUE(first);
  set.resize(first->size());
  for (size_t i = 12; i < set.size(); i++) {
    for (int bit = 0; bit < 8; bit++) {
      set[i] ^= static_cast<uint8_t>(1 << bit);
      EXPECT_FALSE(check_legacy_crc(set)) << i;
      set[i] ^= static_cast<uint8_t>(1 << bit);
    }
  }
}

}  // namespace
}  // namespace moldau::wire
