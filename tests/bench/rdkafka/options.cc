// What the commands share: settings, clocks, the line of JSON.
#include <sys/resource.h>
#include <time.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "load.h"

namespace moldau::bench {
namespace {

double now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

double cpu_now() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

}  // namespace

Stopwatch::Stopwatch() : wall_(now()), cpu_(cpu_now()) {}

void Stopwatch::stop(Outcome& outcome) const {
  outcome.seconds = now() - wall_;
  outcome.cpu = cpu_now() - cpu_;
}

void die(const std::string& sentence) {
  std::fprintf(stderr, "bench_rdkafka: %s\n", sentence.c_str());
  std::exit(1);
}

void set(rd_kafka_conf_t* conf, const char* name, const std::string& value) {
  std::array<char, 256> why{};
  if (rd_kafka_conf_set(conf, name, value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK)
    die(why.data());
}

void print(const Outcome& o) {
  std::printf(R"({"records": %lld, "bytes": %lld, "failed": %lld, "seconds": %.6f, "cpu": %.6f})"
              "\n",
              static_cast<long long>(o.records), static_cast<long long>(o.bytes),
              static_cast<long long>(o.failed), o.seconds, o.cpu);
}

}  // namespace moldau::bench
