// The cluster's metadata at one offset of its log, as a value (design D7). Immutable once
// published: whoever holds it sees one state of the world. Parts that a delta does not touch are
// shared with the image before it. Its records are those of a snapshot.
#pragma once
#include <memory>
#include <vector>

#include "metadata/resources.h"

namespace moldau::metadata {

// The end of what an image holds.
struct Position {
  Offset next;  // behind its last record
  LeaderEpoch epoch{0};
  int64_t timestamp = 0;  // of the last batch, milliseconds
  bool operator==(const Position&) const = default;
};

struct Image {
  Position at;
  std::shared_ptr<const Features> features = std::make_shared<const Features>();
  std::shared_ptr<const Brokers> brokers = std::make_shared<const Brokers>();
  std::shared_ptr<const Controllers> controllers = std::make_shared<const Controllers>();
  std::shared_ptr<const Topics> topics = std::make_shared<const Topics>();
  std::shared_ptr<const Configs> configs = std::make_shared<const Configs>();
  std::shared_ptr<const Quotas> quotas = std::make_shared<const Quotas>();
  std::shared_ptr<const Scram> scram = std::make_shared<const Scram>();
  std::shared_ptr<const DelegationTokens> tokens = std::make_shared<const DelegationTokens>();
  std::shared_ptr<const Acls> acls = std::make_shared<const Acls>();
  int64_t next_producer_id = -1;  // -1: no block was ever given

  // The level of metadata.version; 7 (3.3-IV3, the lowest that Kafka 4 knows) until a record says.
  int16_t metadata_version() const;
};

// The content of both is the same, wherever they are in the log.
bool same_content(const Image& a, const Image& b);

// The records that make this image out of an empty one, each a whole value of a metadata record, in
// one fixed order: the same image gives the same bytes. Of the versions that its metadata.version
// has.
std::vector<std::vector<uint8_t>> image_records(const Image& image);

}  // namespace moldau::metadata
