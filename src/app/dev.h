// `moldau dev`: a broker for this machine, without any configuration.
#pragma once
#include <string>
#include <vector>

namespace moldau::app {

struct DevOptions {
  std::vector<std::string> data;  // empty: under the user's state directory
  std::string listen = "127.0.0.1:9092";
  std::string http;        // metrics and health; empty: 127.0.0.1:9644, or another port; off: none
  bool ephemeral = false;  // a new directory, removed at the end
  bool async_flush = false;           // Kafka's way: the page cache counts
  std::vector<std::string> settings;  // name=value, Kafka's names
  std::string log_level = "info";
};

// Serves until SIGTERM or SIGINT. Returns the exit code: 0, 1 (it could not start, or its disk
// failed), 2 (usage).
int run_dev(const DevOptions& options);

}  // namespace moldau::app
