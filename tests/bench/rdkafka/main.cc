// bench_rdkafka COMMAND [--OPTION VALUE]...: see load.h.
#include <cstdlib>
#include <string_view>

#include "load.h"

namespace moldau::bench {
namespace {

int64_t number(const std::string& text) {
  char* end = nullptr;
  int64_t value = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end) die("'" + text + "' is no number");
  return value;
}

void take(Options& options, std::string_view name, const std::string& value) {
  if (name == "--brokers")
    options.brokers = value;
  else if (name == "--topic")
    options.topic = value;
  else if (name == "--partitions")
    options.partitions = static_cast<int32_t>(number(value));
  else if (name == "--records")
    options.records = number(value);
  else if (name == "--size")
    options.size = number(value);
  else if (name == "--acks")
    options.acks = value;
  else if (name == "--linger-ms")
    options.linger_ms = value;
  else if (name == "--fetch-bytes")
    options.fetch_bytes = value;
  else if (name == "--in-flight")
    options.in_flight = number(value);
  else if (name == "--mock")
    options.mock = number(value) != 0;
  else
    die("no option " + std::string(name));
}

int run(int argc, char** argv) {
  if (argc % 2 != 0) die("usage: bench_rdkafka produce|consume|create|delete [--OPTION VALUE]...");
  Options options;
  for (int i = 2; i < argc; i += 2) take(options, argv[i], argv[i + 1]);
  std::string_view command = argv[1];
  if (command == "produce")
    produce(options);
  else if (command == "consume")
    consume(options);
  else if (command == "create")
    create_topic(options);
  else if (command == "delete")
    delete_topic(options);
  else
    die("no command " + std::string(command));
  return 0;
}

}  // namespace
}  // namespace moldau::bench

int main(int argc, char** argv) { return moldau::bench::run(argc, argv); }
