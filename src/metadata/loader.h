// Follows the metadata log: its batches in, images out. What lies in a metadata transaction
// (KIP-868) shows when the transaction ends, or never. Pure.
#pragma once
#include <optional>

#include "metadata/delta.h"

namespace moldau::metadata {

class Loader {
 public:
  // base: what a snapshot held, or the empty image. The log follows at its end.
  explicit Loader(Image base = {}) : image_(std::move(base)), next_(image_.at.next) {}
  // The next batch, exactly one, below the high watermark; its checksum was looked at. Control
  // batches are raft's and only move the position. True: image() is another one now. Errors: as
  // Delta's; invalid (a transaction that begins twice, or ends without having begun), unsupported
  // (a compressed batch: the metadata log has none). After an error the loader stands still for
  // good.
  Result<bool> add(Bytes batch);

  // The cluster as of the last batch that was no part of an open transaction.
  const Image& image() const { return image_; }
  // Since the last call.
  Changes take_changes();
  // Of the next batch, open transactions included.
  Offset next() const { return next_; }
  bool in_transaction() const { return held_.has_value(); }

 private:
  struct Step;
  Result<void> add_record(Bytes value, Offset offset, Step& step);
  void publish(Delta& delta, const Position& at);

  Image image_;
  Changes changes_;
  std::optional<Delta> held_;  // records of a transaction that has not ended
  Offset next_;
};

// The whole of a snapshot (.checkpoint) into an image. Errors: as Loader's; truncated (no footer).
Result<Image> read_snapshot(Bytes content, const Position& at);

}  // namespace moldau::metadata
