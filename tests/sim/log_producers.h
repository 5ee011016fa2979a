// The idempotent and transactional producers of one simulated log, and their coordinator: what they
// send next, the right and the wrong. They know what they have sent, and look into the model for
// how far the log has come.
#pragma once
#include <deque>
#include <vector>

#include "base/random.h"
#include "log_batch.h"
#include "log_producer_model.h"

namespace moldau::logsim {

struct Sending {
  Incoming batch;
  log::Origin origin = log::Origin::client;
};

class Producers {
 public:
  explicit Producers(Random random);

  // One batch of one of them, of at most max_bytes.
  Sending next(BatchMaker& batches, const ProducerModel& known, size_t max_bytes);
  // What a client sends once more after its connection broke: the last five batches of each, in
  // their order.
  std::vector<Sending> again() const;

 private:
  struct One {
    ProducerId id;
    ProducerEpoch epoch;
    int32_t first_sequence = 0;  // of the first batch ever
    bool transactional = false;
    int32_t coordinator_epoch = 0;
    std::deque<std::vector<uint8_t>> sent;  // of this epoch, the last five
  };
  Sending data(One& one, BatchMaker& batches, const ProducerModel& known, size_t max_bytes);
  Sending wrong(One& one, BatchMaker& batches, const ProducerModel& known, size_t max_bytes);
  Sending marker(One& one, BatchMaker& batches);
  int32_t next_sequence(const One& one, const ProducerModel& known) const;
  const std::vector<uint8_t>* first_lost(const One& one, const ProducerModel& known) const;

  Random random_;
  std::vector<One> all_;
};

}  // namespace moldau::logsim
