// play_image tell SEED LEVEL STEPS     a script: a line of hexadecimal digits for each record,
// "apply" after each step play_image play FILE                 what our image holds after each
// step: the records of its snapshot, then "apply" The same script is played on Kafka's classes by
// PlayImage.java.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "metadata/delta.h"
#include "metadata_story.h"

namespace moldau::compat {
namespace {

std::string hex(const std::vector<uint8_t>& bytes) {
  std::string out;
  for (uint8_t byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

std::vector<uint8_t> unhex(const std::string& text) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

void print(const Records& records) {
  for (const std::vector<uint8_t>& record : records) puts(hex(record).c_str());
  puts("apply");
}

int play(const char* path) {
  std::ifstream in(path);
  metadata::Image image;
  auto delta = std::make_unique<metadata::Delta>(image);
  for (std::string line; std::getline(in, line);) {
    if (line == "apply") {
      image = delta->finish({});
      delta = std::make_unique<metadata::Delta>(image);
      print(metadata::image_records(image));
      continue;
    }
    std::vector<uint8_t> record = unhex(line);
    if (Result<void> done = delta->replay(record); !done) {
      fmt::print(stderr, "{}: {}\n", line, done.error().to_string());
      return 1;
    }
  }
  return 0;
}

int run(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "play") == 0) return play(argv[2]);
  if (argc != 5 || strcmp(argv[1], "tell") != 0) {
    fmt::print(stderr, "usage: play_image tell SEED LEVEL STEPS | play FILE\n");
    return 2;
  }
  for (const Records& step :
       metadata_story(strtoull(argv[2], nullptr, 10), static_cast<int16_t>(atoi(argv[3])),
                      strtoull(argv[4], nullptr, 10)))
    print(step);
  return 0;
}

}  // namespace
}  // namespace moldau::compat

int main(int argc, char** argv) { return moldau::compat::run(argc, argv); }
