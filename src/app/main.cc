// The program: parses the command line and hands over. The only file that knows CLI11 (it throws,
// and it is slow to compile).
#include <CLI/CLI.hpp>

#include <cstdio>

#include "app/dev.h"
#include "app/server.h"
#include "app/storage.h"

namespace {

// `moldau storage ...`: the flags of kafka-storage.sh.
class StorageCommand {
 public:
  explicit StorageCommand(CLI::App& app)
      : top_(app.add_subcommand("storage", "Format data directories, and look at them")) {
    top_->require_subcommand(1);
    random_ = top_->add_subcommand("random-uuid", "Print a new cluster id");
    info_ = top_->add_subcommand("info", "What is in the data directories of a configuration");
    format_ = top_->add_subcommand("format", "Format the data directories of a configuration");
    mapping_ = top_->add_subcommand("version-mapping", "The levels of features that a release has");
    for (CLI::App* command : {info_, format_})
      command->add_option("-c,--config", options_.config, "The server.properties")->required();
    format_->add_option("-t,--cluster-id", options_.cluster_id, "The id of the cluster")
        ->required();
    format_->add_flag("-g,--ignore-formatted", options_.ignore_formatted,
                      "Leave out directories that are formatted already");
    for (CLI::App* command : {format_, mapping_})
      command->add_option("-r,--release-version", options_.release,
                          "Kafka's release, or a level of metadata.version");
    format_->add_option("-f,--feature", options_.features, "A feature's level, as name=level");
    format_->add_flag("-s,--standalone", options_.standalone, "A quorum of this controller alone");
    format_->add_flag("-N,--no-initial-controllers", options_.no_initial_controllers,
                      "The quorum is there already");
  }
  bool parsed() const { return top_->parsed(); }
  int run() const {
    if (random_->parsed()) return moldau::app::run_storage_random_uuid();
    if (info_->parsed()) return moldau::app::run_storage_info(options_);
    if (mapping_->parsed()) return moldau::app::run_storage_version_mapping(options_);
    return moldau::app::run_storage_format(options_);
  }

 private:
  moldau::app::StorageOptions options_;
  CLI::App *top_, *random_, *info_, *format_, *mapping_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Moldau: Apache Kafka, in C++", "moldau"};
  app.set_version_flag("--version", "moldau " MOLDAU_VERSION);
  app.require_subcommand(0, 1);
  moldau::app::DevOptions dev;
  CLI::App* dev_command =
      app.add_subcommand("dev", "Run a broker for this machine, without any configuration");
  CLI::Option* data =
      dev_command
          ->add_option("--data", dev.data,
                       "Data directory, several times or with commas for several disks "
                       "(default: under the user's state directory)")
          ->delimiter(',');
  dev_command->add_option("--listen", dev.listen, "Address to listen on")->capture_default_str();
  dev_command->add_option("--http", dev.http,
                          "Address of /metrics and /healthz; off: none "
                          "(default: 127.0.0.1:9644, or another port if that is taken)");
  dev_command->add_flag("--ephemeral", dev.ephemeral, "A new data directory, removed at the end")
      ->excludes(data);
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
  StorageCommand storage(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  if (app.get_subcommands().empty()) {
    std::fputs(app.help().c_str(), stderr);
    return 2;
  }
  if (storage.parsed()) return storage.run();
  return server_command->parsed() ? moldau::app::run_server(server) : moldau::app::run_dev(dev);
}
