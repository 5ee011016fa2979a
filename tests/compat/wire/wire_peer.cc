// Our side of the comparison with Kafka's message classes (tests/compat/wire.py, WireMessages.java
// beside this).
//
//   wire_peer pairs               every message and version, one a line
//   wire_peer make FILE ROUNDS    frames of random messages, ROUNDS for each pair
//   wire_peer check FILE          reads frames that Kafka made, writes them again: must be the same
//   bytes; then cut,
//                                 flipped and with huge counts: an error, or memory for the bytes
//                                 alone. Prints the pairs that passed.
//   wire_peer corpus FOLDER       a start for tests/fuzz/fuzz_wire_messages.cc
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>

#include "wire/fill.h"
#include "wire/info.h"
#include "wire/message.h"

namespace moldau::wire {
namespace {

struct Frame {
  const MessageInfo* info;
  int16_t version;
  Bytes bytes;
};

constexpr size_t kFactor = 64,
                 kMessage = 512;  // bytes of memory for a byte received, and for the message itself

std::vector<uint8_t> encoded(const MessageInfo& info, const void* message, int16_t version) {
  Chain chain;
  encode_any(info, message, version, chain);
  return chain.flatten();
}

template <class F>
void for_each_pair(F f) {
  for (const MessageInfo* info : all_messages())
    for (int16_t v = info->min_version; v <= info->max_version; v++) f(*info, v);
}

void print_pairs() {
  for_each_pair([](const MessageInfo& info, int16_t v) { fmt::print("{} {}\n", info.name, v); });
}

void put(std::ofstream& out, const MessageInfo& info, int16_t version, Bytes bytes) {
  std::string_view name = info.name;
  uint8_t numbers[4];
  store_be(numbers, static_cast<int16_t>(name.size()));
  out.write(reinterpret_cast<const char*>(numbers), 2) << name;
  store_be(numbers, version);
  out.write(reinterpret_cast<const char*>(numbers), 2);
  store_be(numbers, static_cast<int32_t>(bytes.size()));
  out.write(reinterpret_cast<const char*>(numbers), 4);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
}

Random random_for(const MessageInfo& info, int16_t version) {
  return Random(20261128).fork(info.name, static_cast<uint64_t>(version));
}

void make(const char* path, int rounds) {
  std::ofstream out(path, std::ios::binary);
  for_each_pair([&](const MessageInfo& info, int16_t v) {
    Random random = random_for(info, v);
    for (int round = 0; round < rounds; round++) {
      Arena arena;
      put(out, info, v, encoded(info, make_random(info, v, random, arena), v));
    }
  });
}

// One file for each message: its newest version.
void corpus(const std::string& folder) {
  for (size_t i = 0; i < all_messages().size(); i++) {
    const MessageInfo& info = *all_messages()[i];
    Random random = random_for(info, info.max_version);
    Arena arena;
    std::vector<uint8_t> bytes =
        encoded(info, make_random(info, info.max_version, random, arena), info.max_version);
    bytes.insert(bytes.begin(), {static_cast<uint8_t>(i), static_cast<uint8_t>(i >> 8),
                                 static_cast<uint8_t>(info.max_version - info.min_version)});
    std::ofstream out(folder + "/" + info.name, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  }
}

// Decodes hostile bytes: whether that went well, having held memory for the bytes alone.
bool decodes(const Frame& frame, Bytes bytes, std::string& wrong) {
  Arena arena;
  void* message = make_default(*frame.info, arena);
  bool decoded = decode_into(*frame.info, message, bytes, frame.version, arena).has_value();
  if (arena.bytes_used() > bytes.size() * kFactor + kMessage)
    wrong = fmt::format("{} bytes of memory for {} received", arena.bytes_used(), bytes.size());
  return decoded;
}

// What is wrong with how damaged forms of the frame are taken; empty: nothing.
std::string hostile(const Frame& frame, Random& random) {
  std::string wrong;
  size_t size = frame.bytes.size();
  size_t step = 1 + size / 40;
  for (size_t n = 0; n < size && wrong.empty(); n += step)
    if (decodes(frame, frame.bytes.first(n), wrong))
      wrong = fmt::format("cut to {} of {} bytes it is taken", n, size);
  const std::vector<std::vector<uint8_t>> counts = {{0xff, 0xff, 0xff, 0xff, 0x0f},
                                                    {0x7f, 0xff, 0xff, 0xff},
                                                    {0x7f, 0xff},
                                                    {0x80, 0x80, 0x80, 0x80, 0x01}};
  for (int round = 0; round < 20 && size > 0 && wrong.empty(); round++) {
    std::vector<uint8_t> changed(frame.bytes.begin(), frame.bytes.end());
    size_t at = random.below(size);
    if (random.one_in(2)) {
      changed[at] ^= static_cast<uint8_t>(1u << random.below(8));
    } else {
      const std::vector<uint8_t>& count = counts[random.below(counts.size())];
      for (size_t i = 0; i < count.size() && at + i < size; i++) changed[at + i] = count[i];
    }
    (void)decodes(frame, changed, wrong);
  }
  return wrong;
}

// What is wrong with how we read and write a frame of Kafka's; empty: nothing.
std::string difference(const Frame& frame) {
  Arena arena;
  void* message = make_default(*frame.info, arena);
  Bytes rest;
  Result<void> done = decode_into(*frame.info, message, frame.bytes, frame.version, arena, &rest);
  if (!done) return done.error().to_string();
  if (!rest.empty()) return fmt::format("{} bytes are left", rest.size());
  if (!equal(encoded(*frame.info, message, frame.version), frame.bytes))
    return "we write other bytes for " + print_any(*frame.info, message, frame.version);
  Random random = random_for(*frame.info, frame.version);
  return hostile(frame, random);
}

std::vector<Frame> frames_of(Bytes file) {
  std::map<std::string_view, const MessageInfo*> by_name;
  for (const MessageInfo* info : all_messages()) by_name[info->name] = info;
  std::vector<Frame> frames;
  while (!file.empty()) {
    size_t name = static_cast<size_t>(load_be<int16_t>(file.data()));
    const MessageInfo* info = by_name.at(as_text(file.subspan(2, name)));
    int16_t version = load_be<int16_t>(file.data() + 2 + name);
    size_t size = static_cast<size_t>(load_be<int32_t>(file.data() + 4 + name));
    frames.push_back({info, version, file.subspan(8 + name, size)});
    file = file.subspan(8 + name + size);
  }
  return frames;
}

int check(const char* path) {
  std::ifstream in(path, std::ios::binary);
  std::string file((std::istreambuf_iterator<char>(in)), {});
  std::set<std::string> good, bad;
  for (const Frame& frame : frames_of(as_bytes(file))) {
    std::string pair = fmt::format("{} {}", frame.info->name, frame.version);
    std::string wrong = difference(frame);
    (wrong.empty() ? good : bad).insert(pair);
    if (!wrong.empty()) fmt::print(stderr, "{}: {}\n", pair, wrong);
  }
  for (const std::string& pair : good)
    if (!bad.contains(pair)) fmt::print("{}\n", pair);
  return bad.empty() ? 0 : 1;
}

}  // namespace
}  // namespace moldau::wire

int main(int count, char** arguments) {
  using namespace moldau::wire;
  std::string command = count > 1 ? arguments[1] : "";
  if (command == "pairs" && count == 2)
    print_pairs();
  else if (command == "make" && count == 4)
    make(arguments[2], std::atoi(arguments[3]));
  else if (command == "corpus" && count == 3)
    corpus(arguments[2]);
  else if (command == "check" && count == 3)
    return check(arguments[2]);
  else
    fmt::print(stderr, "wire_peer pairs | make FILE ROUNDS | check FILE | corpus FOLDER\n");
  return 0;
}
