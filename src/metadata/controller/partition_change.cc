#include "metadata/controller/partition_change.h"

#include <algorithm>

#include "metadata/record.h"
#include "wire/messages/partition_change_record.h"

namespace moldau::metadata {

namespace {

using Replicas = std::vector<int32_t>;

constexpr int16_t kNoBumpOnShrink = 12;  // 3.6-IV0
constexpr int16_t kDirectories = 17;     // 3.7-IV2
constexpr int16_t kElr = 23;             // 4.0-IV1
constexpr int8_t kRecovering = 1;

bool contains(const Replicas& all, int32_t one) { return std::ranges::find(all, one) != all.end(); }

Replicas without(Replicas all, const Replicas& gone) {
  std::erase_if(all, [&](int32_t one) { return contains(gone, one); });
  return all;
}

Replicas united(Replicas a, const Replicas& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::ranges::sort(a);
  a.erase(std::unique(a.begin(), a.end()), a.end());
  return a;
}

struct Elected {
  int32_t leader = kNoLeader;
  bool unclean = false;
};

class Run {
 public:
  explicit Run(const Election& election)
      : e_(election),
        p_(election.partition),
        elr_on_(election.level.elr),
        isr_(election.isr),
        elr_(p_.elr),
        last_known_(p_.last_known_elr) {}
  PartitionChange run();

 private:
  void choose_elr();
  bool valid(int32_t replica) const {
    return (contains(isr_, replica) || (elr_on_ && contains(elr_, replica))) && e_.usable(replica);
  }
  bool last_known_may_lead() const {
    return elr_on_ && elr_.empty() && isr_.empty() && p_.last_known_elr.size() == 1 &&
           e_.usable(p_.last_known_elr.front());
  }
  Elected elect() const;
  void apply(Elected elected);
  void settle_elr();
  void settle_last_known();

  const Election& e_;
  const Partition& p_;
  const bool elr_on_;
  Replicas isr_, elr_, last_known_;
  PartitionChange out_;
};

void Run::choose_elr() {
  if (!elr_on_) return;
  auto enough = std::min(static_cast<size_t>(std::max(e_.min_isr, 0)), p_.replicas.size());
  if (isr_.size() >= enough) {
    elr_.clear();
    last_known_.clear();
    return;
  }
  Replicas candidates = united(elr_, p_.isr);
  elr_ = without(without(candidates, isr_), e_.unclean_shutdown);
  last_known_ = without(without(united(candidates, p_.last_known_elr), isr_), elr_);
}

Elected Run::elect() const {
  if (valid(p_.leader)) return {p_.leader, false};
  for (int32_t replica : p_.replicas)
    if (valid(replica)) return {replica, false};
  if (last_known_may_lead()) return {p_.last_known_elr.front(), true};
  for (int32_t replica : p_.replicas)
    if (e_.unclean && e_.usable(replica)) return {replica, true};
  return {};
}

void Run::apply(Elected elected) {
  if (elected.leader == p_.leader) return;
  out_.leader = elected.leader;
  if (elected.unclean) {
    out_.isr = Replicas{elected.leader};
    if (p_.recovery_state != kRecovering) out_.recovery_state = kRecovering;
    return;
  }
  if (!contains(elr_, elected.leader)) return;
  isr_ = {elected.leader};
  elr_ = without(elr_, isr_);
}

void Run::settle_elr() {
  if (out_.isr || !elr_on_) {
    elr_.clear();
    last_known_.clear();
  }
  if (elr_ != p_.elr) out_.elr = elr_;
}

// The last leader of a partition that nobody can lead: it may come back.
void Run::settle_last_known() {
  if (!elr_on_) {
    if (!p_.last_known_elr.empty()) out_.last_known_elr = Replicas{};
    return;
  }
  bool first_time = p_.last_known_elr.size() != 1 || p_.last_known_elr.front() != p_.leader;
  if (out_.isr && out_.isr->empty() && first_time) {
    out_.last_known_elr = Replicas{p_.leader};
    return;
  }
  bool led = out_.leader ? *out_.leader >= 0 : p_.leader != kNoLeader;
  if (led && !p_.last_known_elr.empty()) out_.last_known_elr = Replicas{};
}

PartitionChange Run::run() {
  choose_elr();
  apply(elect());
  settle_elr();
  bool may_be = !isr_.empty() || elr_on_;
  if (!out_.isr && may_be && isr_ != p_.isr) out_.isr = isr_;
  settle_last_known();
  bool shrinks = out_.isr && !without(p_.isr, *out_.isr).empty();
  if (!out_.leader && shrinks && e_.level.metadata_version < kNoBumpOnShrink)
    out_.leader = p_.leader;
  return out_;
}

template <class T>
wire::Array<T> view(const std::vector<T>& all) {
  return wire::Array<T>(all.data(), all.size());
}

}  // namespace

PartitionChange hold_election(const Election& election) { return Run(election).run(); }

Record partition_change_record(const Uuid& topic, int32_t index, const PartitionChange& change,
                               RecordLevel level) {
  wire::PartitionChangeRecord record;
  record.partition_id = index;
  record.topic_id = topic;
  if (change.isr) record.isr = view(*change.isr);
  if (change.leader) record.leader = *change.leader;
  if (change.recovery_state) record.leader_recovery_state = *change.recovery_state;
  bool directories = level.metadata_version >= kDirectories;
  if (change.directories && directories) record.directories = view(*change.directories);
  if (change.elr && level.elr) record.eligible_leader_replicas = view(*change.elr);
  if (change.last_known_elr && level.elr) record.last_known_elr = view(*change.last_known_elr);
  int16_t version = level.metadata_version >= kElr ? 2 : directories ? 1 : 0;
  return write_record(record, version);
}

}  // namespace moldau::metadata
