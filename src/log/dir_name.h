// Names of directories inside a data directory, as Apache Kafka gives and reads them. Pure.
//   orders-3                       a partition
//   orders-3.<32 hex>-delete       on its way out: removed at the next start, if not before
//   orders-3.<32 hex>-future       a copy that is to replace orders-3 of another data directory
//   orders-3.<32 hex>-stray        set aside: the metadata does not know it here
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace moldau::log {

enum class DirKind : uint8_t { partition, deleted, future, stray, foreign };

struct DirName {
  DirKind kind = DirKind::foreign;
  std::string partition;  // "orders-3"; empty if foreign
  auto operator<=>(const DirName&) const = default;
};

DirName parse_dir_name(std::string_view name);
// partition "orders-3", kind deleted, future or stray. The topic is cut so that the whole has at
// most 255 bytes, what a file system takes; the cut name still shows the partition.
std::string dir_name_with_suffix(std::string_view partition, DirKind kind, const Uuid& unique);

}  // namespace moldau::log
