// The catalog of topics as the cluster's metadata has it; changes are asked of the controller.
#pragma once
#include "broker/catalog.h"
#include "host/gate.h"
#include "host/monitor.h"
#include "metadata/driver.h"

namespace moldau::broker {

class Membership;

class MetadataCatalog : public Catalog {
 public:
  // All outlive it. us: whose producer ids it hands out.
  MetadataCatalog(host::Env& env, metadata::Driver& metadata, BrokerId us,
                  const Membership& member);

  std::shared_ptr<const Topics> topics() const override;
  host::Task<Result<void>> create(Topic topic) override;
  host::Task<Result<void>> replace(Topic topic) override;
  host::Task<Result<void>> remove(std::string name) override;
  host::Task<Result<ProducerId>> next_producer_id() override;

 private:
  // The topics of an image, made once as long as nothing of them changes.
  struct Made {
    std::shared_ptr<const metadata::Topics> from;
    std::shared_ptr<const metadata::Configs> configs;
    std::shared_ptr<const Topics> topics = std::make_shared<const Topics>();
  };
  host::Task<Result<void>> take_block();

  host::Env& env_;
  metadata::Driver& metadata_;
  const BrokerId us_;
  const Membership& member_;
  mutable host::Monitor<Made> made_;
  int64_t next_id_ = 0, end_id_ = 0;  // of the block of producer ids
  host::Semaphore block_;             // one asks for the next block
};

}  // namespace moldau::broker
