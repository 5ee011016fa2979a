// Reads tests/compat/wire/golden_batches.txt: batches that Kafka's producer classes built. For
// tests only.
#pragma once
#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "wire/record_batch.h"

namespace moldau::wire {

struct GoldenRecord {
  int64_t offset, timestamp;
  std::string key, value;            // hex; ~ is null
  std::vector<std::string> headers;  // key=value, hex
};

struct GoldenBatch {
  std::string name;
  std::vector<uint8_t> bytes;
  BatchHeader header;
  int32_t last_sequence = -1;
  std::vector<GoldenRecord> records;
};

inline std::vector<uint8_t> bytes_from_hex(const std::string& hex) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return out;
}

inline std::string hex_of(const NullableBytes& bytes) {
  if (!bytes) return "~";
  if (bytes->empty()) return "-";
  std::string out;
  for (uint8_t b : *bytes) out += fmt::format("{:02x}", b);
  return out;
}

inline void read_golden_header(std::istream& in, GoldenBatch* out) {
  BatchHeader& h = out->header;
  in >> h.base_offset.value >> h.length >> h.leader_epoch.value >> h.crc >> h.attributes >>
      h.last_offset_delta >> h.base_timestamp >> h.max_timestamp >> h.producer_id.value >>
      h.producer_epoch.value >> h.base_sequence >> out->last_sequence >> h.record_count;
}

inline std::vector<GoldenBatch> read_golden_batches(const std::string& path) {
  std::vector<GoldenBatch> out;
  std::ifstream file(path);
  for (std::string line, word; std::getline(file, line);) {
    std::istringstream in(line);
    in >> word;
    if (word == "batch") {
      std::string hex;
      GoldenBatch& batch = out.emplace_back();
      in >> batch.name >> hex;
      batch.bytes = bytes_from_hex(hex);
    } else if (word == "header") {
      read_golden_header(in, &out.back());
    } else {
      GoldenRecord& r = out.back().records.emplace_back();
      in >> r.offset >> r.timestamp >> r.key >> r.value;
      while (in >> word) r.headers.push_back(word);
    }
  }
  return out;
}

}  // namespace moldau::wire
