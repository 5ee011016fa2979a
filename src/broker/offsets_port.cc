#include "broker/offsets_port.h"

#include <cstring>

#include "broker/internal_topics.h"
#include "host/disk.h"
#include "replica/driver.h"

namespace moldau::broker {

using coordinator::ShardLog;
using host::Task;

namespace {

class PartitionLog : public ShardLog {
 public:
  PartitionLog(host::Env& env, Partitions::Ref partition)
      : env_(env), partition_(std::move(partition)) {}

  Result<Written> append(const std::vector<uint8_t>& batch, WallTime now) override {
    BlockRef block = BlockRef::allocate(batch.size());
    std::memcpy(block.data(), batch.data(), batch.size());
    TRY(appended, partition_->append(block, MutableBytes(block.data(), batch.size()), now));
    return Written{appended.last, appended.ticket};
  }
  Task<void> write_out() override { return partition_->write_out(env_); }
  Fate fate(const Written& written) const override {
    log::Appended append;
    append.last = written.last;
    append.ticket = written.ticket;
    if (partition_->committed(append)) return Fate::committed;
    return partition_->log().failed(written.ticket) ? Fate::failed : Fate::pending;
  }
  bool gone() const override { return partition_->retired() || partition_->log().offline(); }
  Ends ends() const override {
    replica::Watermarks marks = partition_->watermarks();
    return {marks.log_start, marks.high_watermark, marks.log_end};
  }
  Task<Result<std::vector<uint8_t>>> read(Offset from, size_t max_bytes) override {
    replica::Partition::Bounds bounds{.max_bytes = max_bytes};
    CO_TRY(found, partition_->read(env_, from, bounds));
    CO_TRY(bytes, log::gather(found));
    co_return std::move(bytes);
  }
  host::Signal& moved() override { return partition_->moved(); }

 private:
  host::Env& env_;
  const Partitions::Ref partition_;
};

}  // namespace

coordinator::group::TopicsRef OffsetsPort::topics() {
  std::shared_ptr<const Topics> now = catalog_.topics();
  if (known_ && now == seen_) return known_;
  std::vector<coordinator::group::KnownTopic> topics;
  for (const Topic& topic : now->all()) topics.push_back({topic.name, topic.id, topic.partitions});
  known_ = std::make_shared<const coordinator::group::KnownTopics>(std::move(topics));
  seen_ = std::move(now);
  return known_;
}

std::unique_ptr<ShardLog> OffsetsPort::open(int32_t partition) {
  Partitions::Ref found = partitions_.find(kOffsetsTopic, partition);
  if (!found || found->retired()) return nullptr;
  return std::make_unique<PartitionLog>(env_, std::move(found));
}

}  // namespace moldau::broker
