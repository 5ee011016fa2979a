#include "replica/leader.h"

#include <algorithm>

namespace moldau::replica {

bool Leader::on_local_commit(Offset end) {
  local_ = std::max(local_, end);
  return advance();
}

bool Leader::advance() {
  Offset held_by_all = local_;  // the smallest position in the in-sync set
  if (held_by_all <= high_watermark_) return false;
  high_watermark_ = held_by_all;
  return true;
}

}  // namespace moldau::replica
