#include "metadata/loader.h"

#include <fmt/format.h>

#include "wire/record_batch.h"

namespace moldau::metadata {

namespace {

enum Type : int16_t { kBeginTransaction = 23, kEndTransaction = 24, kAbortTransaction = 25 };
constexpr int16_t kSnapshotFooter = 4;  // type of the control record

void merge(Changes& into, const Changes& from) {
  into.features |= from.features;
  into.brokers.insert(from.brokers.begin(), from.brokers.end());
  into.controllers.insert(from.controllers.begin(), from.controllers.end());
  into.topics.insert(from.topics.begin(), from.topics.end());
  into.removed.insert(from.removed.begin(), from.removed.end());
  into.configs.insert(from.configs.begin(), from.configs.end());
  into.quotas |= from.quotas;
  into.scram |= from.scram;
  into.tokens |= from.tokens;
  into.acls |= from.acls;
  into.producer_ids |= from.producer_ids;
}

Result<Bytes> value_of(const wire::Record& record, Offset offset) {
  if (record.value) return *record.value;
  return fail(Errc::invalid, fmt::format("the metadata record at offset {} has no value", offset));
}

}  // namespace

// The records of one batch, with what they do to the state before them.
struct Loader::Step {
  Delta delta;
  bool open;  // in a transaction
};

Result<void> Loader::add_record(Bytes value, Offset offset, Step& step) {
  TRY(head, read_record_head(value));
  switch (head.type) {
    case kBeginTransaction:
      if (step.open) return fail(Errc::invalid, "a metadata transaction begins inside another");
      publish(step.delta, {offset, image_.at.epoch, image_.at.timestamp});
      step = {Delta(image_), true};
      return {};
    case kEndTransaction:
      if (!step.open) return fail(Errc::invalid, "a metadata transaction ends that never began");
      step.open = false;
      return {};
    case kAbortTransaction:
      if (!step.open) return fail(Errc::invalid, "a metadata transaction aborts that never began");
      step = {Delta(image_), false};
      return {};
    default:
      return step.delta.replay(value);
  }
}

void Loader::publish(Delta& delta, const Position& at) {
  merge(changes_, delta.changes());
  image_ = delta.finish(at);
}

Result<bool> Loader::add(Bytes batch) {
  TRY(header, wire::read_batch_header(batch));
  Position after{header.next_offset(), header.leader_epoch, header.max_timestamp};
  if (header.control()) {
    next_ = after.next;
    if (!held_) image_.at = after;
    return false;
  }
  if (header.codec() != wire::Codec::none)
    return fail(Errc::unsupported, "a compressed batch in the metadata log");
  Step step{held_ ? std::move(*held_) : Delta(image_), held_.has_value()};
  held_.reset();
  wire::RecordWalk walk(header, wire::RecordWalk::records_of(batch),
                        wire::RecordWalk::Offsets::any);
  while (walk.next()) {
    TRY(value, value_of(walk.record(), walk.offset()));
    Result<void> added = add_record(value, walk.offset(), step);
    if (!added)
      return std::move(added.error()).in(fmt::format("metadata offset {}", walk.offset()));
  }
  TRY_(walk.finish());
  next_ = after.next;
  if (step.open) {
    held_ = std::move(step.delta);
    return false;
  }
  publish(step.delta, after);
  return true;
}

Changes Loader::take_changes() { return std::exchange(changes_, Changes()); }

Result<Image> read_snapshot(Bytes content, const Position& at) {
  Loader loader;
  bool complete = false;
  wire::BatchWalk walk(content, wire::BatchWalk::Torn::refuse);
  while (walk.next()) {
    TRY_(wire::check_batch_crc(walk.batch()));
    TRY_(loader.add(walk.batch()));
    if (!walk.header().control()) continue;
    wire::RecordWalk records(walk.header(), wire::RecordWalk::records_of(walk.batch()));
    while (records.next()) {
      const wire::NullableBytes& key = records.record().key;
      if (!key || key->size() < 4) return fail(Errc::invalid, "a control record without a type");
      complete = load_be<int16_t>(key->data() + 2) == kSnapshotFooter;
    }
    TRY_(records.finish());
  }
  TRY_(walk.finish());
  if (!complete) return fail(Errc::truncated, "the snapshot ends without its footer");
  if (loader.in_transaction())
    return fail(Errc::invalid, "the snapshot ends inside of a metadata transaction");
  Image image = loader.image();
  image.at = at;
  return image;
}

}  // namespace moldau::metadata
