#include "log_producers.h"

#include <algorithm>

#include "wire/record_batch_builder.h"

namespace moldau::logsim {
namespace {

Sending sending(Bytes batch, log::Origin origin = log::Origin::client) {
  return {.batch = incoming(batch), .origin = origin};
}

}  // namespace

Producers::Producers(Random random) : random_(random) {
  uint64_t count = 1 + random_.below(4);
  for (uint64_t i = 0; i < count; i++) {
    One one{.id = ProducerId(1000 + static_cast<int64_t>(i)), .epoch = ProducerEpoch(0)};
    one.transactional = random_.one_in(2);
    bool near_the_end = random_.one_in(4);
    if (near_the_end) one.first_sequence = INT32_MAX - static_cast<int32_t>(random_.below(20));
    all_.push_back(std::move(one));
  }
}

int32_t Producers::next_sequence(const One& one, const ProducerModel& known) const {
  const ProducerModel::Producer* producer = known.find(one.id);
  if (!producer) return one.first_sequence;
  if (producer->epoch != one.epoch || producer->last_sequence() == INT32_MAX) return 0;
  return producer->last_sequence() + 1;
}

// A crash or a full disk took it: nothing newer may be sent before it.
const std::vector<uint8_t>* Producers::first_lost(const One& one,
                                                  const ProducerModel& known) const {
  int32_t next = next_sequence(one, known);
  for (const std::vector<uint8_t>& batch : one.sent)
    if (placed_batch(batch, Offset(0)).producer.base_sequence == next) return &batch;
  return nullptr;
}

Sending Producers::data(One& one, BatchMaker& batches, const ProducerModel& known,
                        size_t max_bytes) {
  if (const std::vector<uint8_t>* lost = first_lost(one, known)) return sending(*lost);
  wire::RecordBatchBuilder::Options options{.producer_id = one.id,
                                            .producer_epoch = one.epoch,
                                            .base_sequence = next_sequence(one, known),
                                            .transactional = one.transactional};
  one.sent.push_back(batches.batch(options, max_bytes));
  if (one.sent.size() > log::ProducerEntry::kSeen) one.sent.pop_front();
  return sending(one.sent.back());
}

// What a client that has lost its way may send, or one that another has replaced.
Sending Producers::wrong(One& one, BatchMaker& batches, const ProducerModel& known,
                         size_t max_bytes) {
  wire::RecordBatchBuilder::Options options{.producer_id = one.id,
                                            .producer_epoch = one.epoch,
                                            .base_sequence = next_sequence(one, known),
                                            .transactional = one.transactional};
  auto far = static_cast<int32_t>(1 + random_.below(8));
  switch (random_.below(4)) {
    case 0:
      options.base_sequence =
          static_cast<int32_t>((int64_t{options.base_sequence} + far) & INT32_MAX);
      break;
    case 1:
      options.base_sequence = std::max(0, options.base_sequence - far);
      break;
    case 2:
      options.producer_epoch =
          ProducerEpoch(static_cast<int16_t>(std::max(0, one.epoch.value - 1)));
      break;
    default:
      options.transactional = !options.transactional;
      break;
  }
  std::vector<uint8_t> batch = batches.batch(options, max_bytes);
  return sending(batch);
}

// The coordinator ends a transaction, or one that it does not know to be over already; a newer
// protocol raises the epoch with it. A coordinator that was replaced may still try.
Sending Producers::marker(One& one, BatchMaker& batches) {
  if (random_.one_in(8)) one.coordinator_epoch++;
  if (random_.one_in(4)) {
    one.epoch.value++;
    one.sent.clear();
  }
  bool late = random_.one_in(16);
  bool fenced = random_.one_in(16);
  wire::RecordBatchBuilder::Options options{.producer_id = one.id, .producer_epoch = one.epoch};
  if (fenced) options.producer_epoch.value = std::max<int16_t>(0, options.producer_epoch.value - 1);
  int32_t coordinator = late ? std::max(0, one.coordinator_epoch - 1) : one.coordinator_epoch;
  bool abort = random_.one_in(2);
  std::vector<uint8_t> batch = batches.marker(options, abort, coordinator);
  return sending(batch, log::Origin::coordinator);
}

Sending Producers::next(BatchMaker& batches, const ProducerModel& known, size_t max_bytes) {
  One& one = all_[static_cast<size_t>(random_.below(all_.size()))];
  uint64_t what = random_.below(16);
  if (what < 3 && !one.sent.empty())
    return sending(one.sent[static_cast<size_t>(random_.below(one.sent.size()))]);
  if (what == 3) return wrong(one, batches, known, max_bytes);
  if (what == 4) {
    one.epoch.value++;
    one.sent.clear();
  }
  const ProducerModel::Producer* producer = known.find(one.id);
  bool open = producer && producer->open_since;
  bool ends = (one.transactional || open) && what > 4 && what < 8;
  return ends ? marker(one, batches) : data(one, batches, known, max_bytes);
}

std::vector<Sending> Producers::again() const {
  std::vector<Sending> all;
  for (const One& one : all_)
    for (const std::vector<uint8_t>& batch : one.sent) all.push_back(sending(batch));
  return all;
}

}  // namespace moldau::logsim
