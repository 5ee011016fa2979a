// The commands of bench_rdkafka, a client on librdkafka that loads a broker and reports what it
// saw: one line of JSON on standard output. The drivers (tests/bench/*.py) start it and read the
// brokers' CPU time beside it.
#pragma once
#include <cstdint>
#include <string>

#include <librdkafka/rdkafka.h>

namespace moldau::bench {

struct Options {
  std::string brokers = "127.0.0.1:9092";
  std::string topic = "bench";
  int32_t partitions = 4;
  int64_t records = 1'000'000;
  int64_t size = 1024;  // bytes of a record's value
  std::string acks = "all";
  std::string linger_ms = "5";
  std::string fetch_bytes = "1048576";  // of a partition in one answer
  int64_t in_flight = 0;                // > 0: one record a request, this many requests under way
  bool mock = false;  // librdkafka's own broker inside this process: what the client alone can do
};

// What one run did. cpu: seconds of this process between its first and its last record.
struct Outcome {
  int64_t records = 0;
  int64_t bytes = 0;
  int64_t failed = 0;
  double seconds = 0;
  double cpu = 0;
};

// Time and CPU since construction.
class Stopwatch {
 public:
  Stopwatch();
  void stop(Outcome& outcome) const;

 private:
  double wall_;
  double cpu_;
};

// Stops the program with a sentence if librdkafka refuses the setting.
void set(rd_kafka_conf_t* conf, const char* name, const std::string& value);
[[noreturn]] void die(const std::string& sentence);
void print(const Outcome& outcome);

void produce(const Options& options);
void consume(const Options& options);
void create_topic(const Options& options);
void delete_topic(const Options& options);

}  // namespace moldau::bench
