// `moldau server CONFIG`: a node by Apache Kafka's server.properties.
#pragma once
#include <string>
#include <vector>

namespace moldau::app {

struct ServerOptions {
  std::string config;                  // the file
  std::vector<std::string> overrides;  // key=value: they count more than the file and environment
  std::string log_level = "info";
};

// As run_dev.
int run_server(const ServerOptions& options);

}  // namespace moldau::app
