#include "log_front_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "log_model.h"

namespace moldau::logsim {

void FrontModel::restarted(Offset at) {
  start_ = promised_ = most_ = at;
  anew_.reset();
}

std::optional<std::string> FrontModel::observe(Offset start) {
  Offset before = std::exchange(start_, start);
  if (start < before && !anew_)
    return fmt::format("the log began at {}, now it begins at {}", before, start);
  Offset most = anew_ ? std::max(most_, *anew_) : most_;
  if (start > most) return fmt::format("the log begins at {}, at most {} was asked", start, most);
  return std::nullopt;
}

std::optional<std::string> FrontModel::recovered(Offset start, Offset end) {
  Offset least = std::min(promised_, end);
  Offset most = most_;
  if (anew_) {
    least = std::min(least, *anew_);
    most = std::max(most, *anew_);
  }
  anew_.reset();
  retaining_ = false;
  start_ = promised_ = most_ = start;
  if (start >= least && start <= most) return std::nullopt;
  return fmt::format("found to begin at {}, not between {} and {}", start, least, most);
}

// Kafka's rules, without a word of segments: a record may go if all up to it are too old, or if
// what is left is as large as the log may be.
std::optional<std::string> judge_removal(const std::map<Offset, ModelBatch>& batches,
                                         const log::RetentionRules& rules, Offset start, Offset to,
                                         WallTime now) {
  int64_t left = 0;
  std::optional<Offset> young;
  for (const auto& [base, batch] : batches) {
    if (base >= to) left += std::ssize(batch.bytes);
    if (batch.last < start || base >= to || young) continue;
    bool old = rules.millis >= 0 && now.millis - batch.max_timestamp > rules.millis;
    if (!old && batch.max_timestamp >= 0) young = base;
  }
  bool large = rules.bytes >= 0 && left >= rules.bytes;
  if (!young || large) return std::nullopt;
  return fmt::format(
      "{} to {} are removed, but the batch at {} is young, and {} bytes are left of {}", start, to,
      *young, left, rules.bytes);
}

}  // namespace moldau::logsim
