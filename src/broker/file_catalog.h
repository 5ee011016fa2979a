// The catalog of a single node, kept in one small text file of the data directory until the
// metadata log takes over.
//   moldau-catalog 2
//   producer-ids <first id not yet reserved>
//   topic <name> <id> <partitions>
//   config <name>=<value>            of the topic above it; %XX stands for any other byte
// Version 1 is the same without the settings, and is read as well.
#pragma once
#include "broker/catalog.h"
#include "host/monitor.h"

namespace moldau::host {
struct Env;
class Event;
}  // namespace moldau::host

namespace moldau::broker {

class FileCatalog : public Catalog {
 public:
  // Reads `path`; a missing file is an empty catalog. Errors: corrupt (names the line), and the
  // disk's.
  static host::Task<Result<std::unique_ptr<Catalog>>> open(host::Env& env, std::string path);
  ~FileCatalog() override;

  std::shared_ptr<const Topics> topics() const override;
  host::Task<Result<void>> create(Topic topic) override;
  host::Task<Result<void>> replace(Topic topic) override;
  host::Task<Result<void>> remove(std::string name) override;
  host::Task<Result<ProducerId>> next_producer_id() override;

 private:
  FileCatalog(host::Env& env, std::string path);
  class Turn;
  host::Task<void> take_turn();
  host::Task<Result<void>> store(std::vector<Topic> topics, int64_t reserved);

  host::Env& env_;
  const std::string path_;
  host::Monitor<std::shared_ptr<const Topics>> topics_;  // read from any loop
  int64_t next_id_ = 0;                                  // the next producer id
  int64_t reserved_ = 0;                                 // ids below may be given; the file says so
  bool busy_ = false;                                    // one change at a time
  std::unique_ptr<host::Event> free_;
};

}  // namespace moldau::broker
