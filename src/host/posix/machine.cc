#include "host/posix/machine.h"

#include <malloc.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace moldau::host::posix {
namespace {

// Cores by the quota of this process's control group and the groups around it; 0: no limit.
size_t quota_cores() {
  std::ifstream groups("/proc/self/cgroup");
  std::string line, group;
  while (std::getline(groups, line))
    if (line.starts_with("0::")) group = line.substr(3);
  size_t least = 0;
  for (;;) {
    std::ifstream file("/sys/fs/cgroup" + group + "/cpu.max");
    int64_t quota = 0, period = 0;  // "max 100000": reading the first fails, no limit
    if (file >> quota >> period && quota > 0 && period > 0) {
      auto cores = static_cast<size_t>((quota + period - 1) / period);
      least = least ? std::min(least, cores) : cores;
    }
    if (group.empty() || group == "/") return least;
    group.resize(group.rfind('/'));
  }
}

}  // namespace

size_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  size_t cores = 1;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    cores = static_cast<size_t>(std::max(1, CPU_COUNT(&set)));
  } else if (long online = ::sysconf(_SC_NPROCESSORS_ONLN); online > 0) {
    cores = static_cast<size_t>(online);  // more than a cpu_set_t holds
  }
  size_t quota = quota_cores();
  return quota ? std::min(cores, quota) : cores;
}

bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

int64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit)) return 0;
  rlimit wanted{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
  return static_cast<int64_t>(limit.rlim_cur);
}

void settle_allocator() {
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

}  // namespace moldau::host::posix
