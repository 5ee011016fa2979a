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

// Kafka's rules, without a word of segments: a record may go if it is too old, or if what is behind
// it is as large as the log may be. Some may go for the one reason and those behind them for the
// other.
std::optional<std::string> judge_removal(const std::map<Offset, ModelBatch>& batches,
                                         const log::RetentionRules& rules, Offset start, Offset to,
                                         WallTime now) {
  int64_t behind = 0;
  for (auto at = batches.rbegin(); at != batches.rend(); ++at) {
    const auto& [base, batch] = *at;
    if (base < to && batch.last >= start) {
      bool old = rules.millis >= 0 && now.millis - batch.max_timestamp > rules.millis;
      bool large = rules.bytes >= 0 && behind >= rules.bytes;
      if (!old && !large && batch.max_timestamp >= 0)
        return fmt::format(
            "{} to {} are removed, but the batch at {} is young, and {} bytes are behind it of {}",
            start, to, base, behind, rules.bytes);
    }
    behind += std::ssize(batch.bytes);
  }
  return std::nullopt;
}

}  // namespace moldau::logsim
