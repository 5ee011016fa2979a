// tell_log KIND SEED: prints a story of one partition (log_story.h) as a script that play_log plays
// on our log and PlayLog.java on Apache Kafka's. KIND: transactions, ended (none of them is
// open at the end), compact or rules, and
// behind a dash the codec: "compact-zstd".
//
//   log NAME SEGMENT_BYTES       opens or makes the partition DIR/NAME
//   at MILLIS                    the clock says so
//   append ORIGIN EPOCH HEX      a batch from a client or a coordinator
//   clean                        compaction, as far as it goes
//   time MILLIS                  which record is the first since
//   latest                       which record has the largest timestamp
//   close                        in order
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "log_story.h"

namespace moldau::log {
namespace {

void print_hex(Bytes bytes) {
  std::string hex;
  for (uint8_t byte : bytes) fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  fputs(hex.c_str(), stdout);
}

struct Kind {
  LogStory::Options options;
  int steps = 0;
  int clean_every = 0;  // 0: never
  bool end_all = false;
  int64_t segment_bytes = 30'000;
};

std::optional<Kind> kind_of(std::string_view name, uint64_t seed) {
  size_t dash = name.find('-');
  Kind kind{.options = {.seed = seed}};
  if (dash != std::string_view::npos) {
    auto codec = wire::codec_of_name(name.substr(dash + 1));
    if (!codec) return std::nullopt;
    kind.options.codec = *codec;
  }
  name = name.substr(0, dash);
  kind.steps = 1200;
  if (name == "rules") {
    kind.options.wrong = 4;
    kind.steps = 2500;
    kind.segment_bytes = 10'000'000;  // of Kafka a batch that is refused may begin a segment
  }
  if (name == "compact") kind.clean_every = 200;
  kind.end_all = name == "ended";
  bool known = name == "rules" || name == "compact" || name == "transactions";
  return known || kind.end_all ? std::optional(kind) : std::nullopt;
}

void print(const LogStory::Step& step, int epoch) {
  std::string_view origin = step.origin == Origin::client ? "client" : "coordinator";
  fmt::print("at {}\nappend {} {} ", step.time, origin, epoch);
  print_hex(step.batch);
  fmt::print("\n");
}

void tell(const Kind& kind, std::string_view name) {
  fmt::print("log {}-0 {}\n", name, kind.segment_bytes);
  LogStory story(kind.options);
  int64_t begin = story.now();
  int64_t time = begin;
  for (int i = 0; i < kind.steps; i++) {
    LogStory::Step step = story.next();
    time = step.time;
    print(step, i < kind.steps / 3 ? 4 : 7);
    if (kind.clean_every > 0 && i % kind.clean_every == kind.clean_every - 1) fmt::print("clean\n");
  }
  while (kind.end_all) {
    auto step = story.end_open();
    if (!step) break;
    print(*step, 7);
  }
  for (int64_t back = -3; back < time - begin; back += 61) fmt::print("time {}\n", time - back);
  fmt::print("time 0\nlatest\n");
  fmt::print("close\n");
}

}  // namespace
}  // namespace moldau::log

int main(int argc, char** argv) {
  using namespace moldau::log;
  auto kind = argc == 3 ? kind_of(argv[1], strtoull(argv[2], nullptr, 10)) : std::nullopt;
  if (!kind) return fprintf(stderr, "usage: tell_log KIND SEED\n"), 2;
  tell(*kind, argv[1]);
  return 0;
}
