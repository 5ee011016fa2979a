#include "raft/log_state.h"

#include <algorithm>

namespace moldau::raft {

LogState::LogState(Opened opened)
    : start_(opened.start),
      end_(opened.end),
      durable_(opened.end),
      epochs_(std::move(opened.epochs)) {
  for (const Snapshot& snapshot : opened.snapshots) add_snapshot(snapshot);
}

LeaderEpoch LogState::last_epoch() const {
  return epochs_.entries().empty() ? start_.epoch : epochs_.entries().back().epoch;
}

OffsetAndEpoch LogState::end_of(LeaderEpoch epoch) const {
  if (epoch >= last_epoch()) return end_id();
  if (epochs_.entries().empty() || epoch < epochs_.entries().front().epoch)
    return start_.offset.value > 0 ? start_ : OffsetAndEpoch{start_.offset, epoch};
  std::optional<log::EpochEnd> end = epochs_.end_of(epoch, end_);
  return end ? OffsetAndEpoch{end->end, end->epoch} : end_id();
}

Position LogState::check(OffsetAndEpoch replica) const {
  if (start_.offset.value == 0 && replica == OffsetAndEpoch{}) return {};
  bool before_start = replica.offset < start_.offset ||
                      (replica.offset == start_.offset && replica.epoch != start_.epoch) ||
                      replica.epoch < start_.epoch;
  if (start_.offset.value > 0 && before_start) {
    const Snapshot* latest = latest_snapshot();
    return {Position::snapshot, latest ? latest->id : start_};
  }
  OffsetAndEpoch end = end_of(replica.epoch);
  if (end.epoch == replica.epoch && replica.offset <= end.offset) return {};
  return {Position::diverging, end};
}

Offset LogState::cut_for(OffsetAndEpoch leader_end) const {
  if (leader_end.epoch == last_epoch()) return std::min(leader_end.offset, end_);
  OffsetAndEpoch own = end_of(leader_end.epoch);
  return own.epoch == leader_end.epoch ? std::min(own.offset, leader_end.offset) : own.offset;
}

void LogState::append(LeaderEpoch epoch, Offset next_end, uint64_t write) {
  epochs_.assign(epoch, end_);
  end_ = next_end;
  writes_.push_back({write, end_});
}

void LogState::truncate(Offset to, uint64_t write) {
  end_ = to;
  durable_ = std::min(durable_, to);
  epochs_.truncate_end(to);
  for (Write& w : writes_) w.end = std::min(w.end, to);
  writes_.push_back({write, to});
}

void LogState::reset(OffsetAndEpoch snapshot) {
  start_ = snapshot;
  end_ = durable_ = snapshot.offset;
  epochs_ = log::Epochs();
  writes_.clear();
}

void LogState::on_durable(uint64_t write) {
  while (!writes_.empty() && writes_.front().number <= write) {
    durable_ = std::max(durable_, writes_.front().end);
    writes_.pop_front();
  }
}

const Snapshot* LogState::latest_snapshot() const {
  return snapshots_.empty() ? nullptr : &snapshots_.back();
}

const Snapshot* LogState::find_snapshot(OffsetAndEpoch id) const {
  auto found = std::ranges::find(snapshots_, id, &Snapshot::id);
  return found == snapshots_.end() ? nullptr : &*found;
}

const Snapshot* LogState::snapshot_at(Offset end) const {
  auto found = std::ranges::find(snapshots_, end, [](const Snapshot& s) { return s.id.offset; });
  return found == snapshots_.end() ? nullptr : &*found;
}

void LogState::add_snapshot(const Snapshot& snapshot) {
  remove_snapshot(snapshot.id);
  snapshots_.push_back(snapshot);
  std::ranges::sort(snapshots_, {}, [](const Snapshot& s) { return s.id.offset; });
}

void LogState::remove_snapshot(OffsetAndEpoch id) {
  std::erase_if(snapshots_, [&](const Snapshot& s) { return s.id == id; });
}

bool LogState::trim(Offset start) {
  const Snapshot* found = snapshot_at(start);
  if (!found || start <= start_.offset || start > end_) return false;
  start_ = found->id;
  if (start == end_)
    epochs_ = log::Epochs();
  else
    epochs_.truncate_start(start);
  return true;
}

}  // namespace moldau::raft
