// The program: parses the command line and hands over. The only file that knows CLI11 (it throws,
// and it is slow to compile).
#include <CLI/CLI.hpp>

#include <cstdio>

#include "app/dev.h"
#include "app/server.h"

int main(int argc, char** argv) {
  CLI::App app{"Moldau: Apache Kafka, in C++", "moldau"};
  app.set_version_flag("--version", "moldau " MOLDAU_VERSION);
  app.require_subcommand(1);
  moldau::app::DevOptions dev;
  CLI::App* dev_command =
      app.add_subcommand("dev", "Run a broker for this machine, without any configuration");
  dev_command
      ->add_option("--data", dev.data,
                   "Data directory, several times or with commas for several disks "
                   "(default: under the user's state directory)")
      ->delimiter(',');
  dev_command->add_option("--listen", dev.listen, "Address to listen on")->capture_default_str();
  dev_command->add_flag("--ephemeral", dev.ephemeral, "A new data directory, removed at the end");
  dev_command->add_flag("--async-flush", dev.async_flush,
                        "Acknowledge from the page cache, as Kafka does by default");
  dev_command->add_option(
      "--set", dev.settings,
      "A setting by Kafka's name, such as log.retention.ms=60000; several times");
  dev_command->add_option("--log-level", dev.log_level, "trace, debug, info, warn or error")
      ->capture_default_str();
  moldau::app::ServerOptions server;
  CLI::App* server_command =
      app.add_subcommand("server", "Run a node by Apache Kafka's server.properties");
  server_command->add_option("config", server.config, "The file")->required();
  server_command->add_option(
      "--override", server.overrides,
      "A setting that counts more than the file's, as key=value; several times");
  server_command->add_option("--log-level", server.log_level, "trace, debug, info, warn or error")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return server_command->parsed() ? moldau::app::run_server(server) : moldau::app::run_dev(dev);
}
