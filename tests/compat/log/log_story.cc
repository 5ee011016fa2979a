#include "log_story.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wire/record_batch_builder.h"

namespace moldau::log {

namespace {
constexpr int64_t kBegin = 1'700'000'100'000;
constexpr int32_t kMaxSequence = 2147483647;
constexpr int kProducers = 6;  // of them the second half transactional

int32_t after(int32_t sequence, int32_t count) {
  return static_cast<int32_t>((int64_t{sequence} + count) & kMaxSequence);
}
}  // namespace

LogStory::LogStory(const Options& options)
    : options_(options), random_(options.seed), time_(kBegin) {
  for (int i = 0; i < kProducers; i++) {
    Producer producer{.id = 1000 + i, .transactional = i >= kProducers / 2};
    // Nothing is known of it, so it may begin anywhere: the wrap is near.
    if (i % 3 == 1) producer.sequence = kMaxSequence - 40;
    producers_.push_back(producer);
  }
}

std::vector<uint8_t> LogStory::data(Producer& producer, int32_t sequence) {
  wire::RecordBatchBuilder builder({.producer_id = ProducerId(producer.id),
                                    .producer_epoch = ProducerEpoch(producer.epoch),
                                    .base_sequence = sequence,
                                    .transactional = producer.transactional,
                                    .codec = options_.codec});
  uint64_t count = 1 + random_.below(12);
  for (uint64_t i = 0; i < count; i++) {
    std::string key = fmt::format("key-{}", random_.below(options_.keys));
    uint64_t repeats = random_.below(12);
    std::string value = fmt::format("{}.", written_++);
    for (uint64_t n = 0; n < repeats; n++) value += "abcdefghij";
    wire::NullableBytes bytes;
    if (!random_.one_in(9)) bytes = as_bytes(value);
    int64_t time = time_ - static_cast<int64_t>(random_.below(40));
    const std::array<wire::RecordBatchBuilder::Header, 1> headers{{{"of", as_bytes(key)}}};
    size_t some = random_.one_in(4) ? 1 : 0;
    builder.add(time, as_bytes(key), bytes, std::span(headers).first(some));
  }
  return builder.finish();
}

std::vector<uint8_t> LogStory::marker(const Producer& producer, bool abort) const {
  wire::RecordBatchBuilder builder({.producer_id = ProducerId(producer.id),
                                    .producer_epoch = ProducerEpoch(producer.epoch),
                                    .transactional = true,
                                    .control = true});
  const std::array<uint8_t, 4> key{0, 0, 0, static_cast<uint8_t>(abort ? 0 : 1)};
  std::array<uint8_t, 6> value{};
  store_be(value.data() + 2, producer.coordinator_epoch);
  builder.add(time_, Bytes(key), Bytes(value));
  return builder.finish();
}

LogStory::Step LogStory::end(Producer& producer) {
  if (random_.one_in(3)) producer.coordinator_epoch++;
  // Since KIP-890 each transaction ends with a marker of the next epoch.
  bool bumps = random_.one_in(2);
  if (bumps) producer.epoch++;
  if (bumps) producer.sequence = 0;
  producer.open = false;
  bool abort = random_.one_in(2);
  return with(Origin::coordinator, marker(producer, abort));
}

LogStory::Step LogStory::right(Producer& producer) {
  bool ends = producer.transactional && random_.one_in(producer.open ? 3 : 25);
  if (ends) return end(producer);
  if (random_.one_in(25)) {
    producer.epoch++;
    producer.sequence = 0;
  }
  std::vector<uint8_t> batch = data(producer, producer.id < 0 ? -1 : producer.sequence);
  if (producer.id < 0) return with(Origin::client, std::move(batch));
  auto header = wire::read_batch_header(batch);
  producer.sequence = after(producer.sequence, header->record_count);
  producer.open = producer.open || producer.transactional;
  producer.sent.push_back(batch);
  if (producer.sent.size() > kRemembered) producer.sent.pop_front();
  return with(Origin::client, std::move(batch));
}

LogStory::Step LogStory::wrong_marker(Producer& producer) {
  Producer other = producer;
  switch (random_.below(3)) {
    case 0:
      other.coordinator_epoch--;
      break;
    case 1:
      other.epoch--;
      break;
    default:
      other.id += 100;  // nobody knows it
  }
  bool abort = random_.one_in(2);
  return with(Origin::coordinator, marker(other, abort));
}

LogStory::Step LogStory::wrong(Producer& producer) {
  Producer other = producer;
  int32_t sequence = producer.sequence;
  int32_t some = 1 + static_cast<int32_t>(random_.below(20));
  switch (random_.below(7)) {
    case 0:
      return wrong_marker(producer);
    case 1:  // missing ones in front of it
      sequence = after(sequence, some);
      break;
    case 2:  // began before
      sequence = std::max(0, sequence - some);
      break;
    case 3:  // an epoch that is over
      other.epoch--;
      sequence = 0;
      break;
    case 4:  // a new epoch that does not begin at 0
      other.epoch++;
      sequence = some;
      break;
    case 5:  // outside of the transaction, or in none
      other.transactional = !other.transactional;
      break;
    default:  // sent again: maybe too late
      if (producer.sent.empty()) break;
      return with(Origin::client, producer.sent[random_.below(producer.sent.size())]);
  }
  other.epoch = std::max(other.epoch, int16_t{0});
  std::vector<uint8_t> batch = data(other, sequence);
  return with(Origin::client, std::move(batch));
}

bool LogStory::accepted(const Step& step) {
  auto header = wire::read_batch_header(step.batch);
  PlacedBatch placed{read_producer_part(*header, step.batch), end_, header->last_offset_delta,
                     header->max_timestamp};
  if (state_.duplicate(placed) || !state_.check(placed, step.origin)) return false;
  (void)state_.apply(placed);
  end_ = placed.last() + 1;
  return true;
}

std::optional<LogStory::Step> LogStory::end_open() {
  auto open = std::ranges::find_if(producers_, &Producer::open);
  if (open == producers_.end()) return std::nullopt;
  return end(*open);
}

LogStory::Step LogStory::next() {
  time_ += static_cast<int64_t>(random_.below(30));
  Producer none;
  uint64_t which = random_.below(producers_.size() + 1);
  bool known = which < producers_.size();
  Producer& producer = known ? producers_[which] : none;
  bool wrong_one = known && options_.wrong > 0 && random_.one_in(options_.wrong);
  Step step = wrong_one ? wrong(producer) : right(producer);
  if (!accepted(step) || !wrong_one || !known) return step;
  // It was fine after all, and what follows has to fit it.
  const ProducerEntry* entry = state_.find(ProducerId(producer.id));
  if (!entry) return step;
  producer.epoch = entry->epoch.value;
  producer.sequence = entry->seen_count > 0 ? after(entry->last_sequence(), 1) : 0;
  producer.open = entry->open_since.has_value();
  producer.coordinator_epoch = std::max(producer.coordinator_epoch, entry->coordinator_epoch);
  return step;
}

}  // namespace moldau::log
