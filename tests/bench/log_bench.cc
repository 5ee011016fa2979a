// What one partition's log costs beside the raw calls under it, measured in one process: append and
// read against write, CRC-32C and sendfile; and how long a data directory with many partitions
// takes to open.
//   log_bench [append|read|open N...] [--dir DIR]      everything if nothing is named
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "log/measure.h"

namespace moldau::bench {
namespace {

int usage() {
  fprintf(stderr, "usage: log_bench [append|read|open [PARTITIONS...]] [--dir DIR]\n");
  return 2;
}

int measure(const std::vector<std::string>& words, const std::string& dir) {
  std::string what = words.empty() ? "all" : words[0];
  bool known = what == "all" || what == "append" || what == "read" || what == "open";
  if (!known || (what != "open" && words.size() > 1)) return usage();
  Folder folder(dir);
  printf("in %s\n\n", folder.path().c_str());
  Raw raw;
  if (what != "open") raw = measure_raw(folder);
  if (what == "all" || what == "append") measure_appends(folder, raw);
  if (what == "all" || what == "read") measure_reads(folder, raw);
  if (what != "all" && what != "open") return 0;
  std::vector<int> counts;
  for (size_t i = 1; i < words.size(); i++) counts.push_back(atoi(words[i].c_str()));
  if (counts.empty()) counts = {1, 1000, 10000};
  for (int count : counts) {
    if (count <= 0) return usage();
    measure_open(folder, count);
  }
  return 0;
}

}  // namespace
}  // namespace moldau::bench

int main(int argc, char** argv) {
  std::vector<std::string> words;
  std::string dir;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--dir") && i + 1 < argc)
      dir = argv[++i];
    else
      words.push_back(argv[i]);
  }
  return moldau::bench::measure(words, dir);
}
