#include "raft/test_disk.h"

#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"

namespace moldau::raft::test {

void StoredLog::apply(const LogWrite& write) {
  if (write.truncates()) {
    while (!batches.empty() && batches.back().next > write.at) batches.pop_back();
    CHECK(end() == write.at, "a cut to {} is inside of a batch: {}", write.at, end());
    return;
  }
  CHECK(write.at == end(), "written at {} behind {}", write.at, end());
  wire::BatchWalk walk(write.bytes, wire::BatchWalk::Torn::refuse);
  while (walk.next()) {
    const wire::BatchHeader& h = walk.header();
    Bytes bytes = walk.batch();
    uint64_t hash = uint64_t{h.crc} << 32 ^ static_cast<uint32_t>(h.leader_epoch.value);
    batches.push_back({h.base_offset, h.next_offset(), h.leader_epoch, hash,
                       std::vector<uint8_t>(bytes.begin(), bytes.end())});
  }
}

std::vector<uint8_t> StoredLog::read(Offset at, int32_t max) const {
  std::vector<uint8_t> out;
  auto first = std::ranges::lower_bound(batches, at, {}, &StoredBatch::base);
  for (auto b = first; b != batches.end(); ++b) {
    if (!out.empty() && out.size() + b->bytes.size() > static_cast<size_t>(max)) break;
    out.insert(out.end(), b->bytes.begin(), b->bytes.end());
  }
  return out;
}

const StoredBatch* StoredLog::find(Offset base) const {
  auto found = std::ranges::lower_bound(batches, base, {}, &StoredBatch::base);
  return found == batches.end() || found->base != base ? nullptr : &*found;
}

log::Epochs StoredLog::epochs() const {
  log::Epochs out;
  for (const StoredBatch& b : batches) out.assign(b.epoch, b.base);
  return out;
}

void TestDisk::write(LogWrite w) {
  log.apply(w);
  pending_.push_back(std::move(w));
}

uint64_t TestDisk::sync_one() {
  LogWrite w = std::move(pending_.front());
  pending_.pop_front();
  durable.apply(w);
  return w.number;
}

void TestDisk::lose_power(Random& random) {
  uint64_t kept = random.below(pending_.size() + 1);
  while (kept-- > 0) sync_one();
  pending_.clear();
  log = durable;
}

void TestDisk::reset_to(const StoredSnapshot& snapshot) {
  pending_.clear();
  log = durable = StoredLog{snapshot.snapshot.id, {}};
  snapshots = {snapshot};
}

void TestDisk::trim(OffsetAndEpoch start) {
  for (StoredLog* l : {&log, &durable}) {
    std::erase_if(l->batches, [&](const StoredBatch& b) { return b.next <= start.offset; });
    l->start = start;
  }
}

void TestDisk::save(const Persist& p) {
  state = encode_quorum_state(p.state, p.version);
  Result<QuorumState> read = decode_quorum_state(state);
  CHECK(read, "{}", read.error().to_string());
  known = *read;
}

Recovered TestDisk::recover(const VoterHistory& configured) const {
  Recovered out{std::nullopt, {durable.start, durable.end(), durable.epochs(), {}}, configured};
  if (!state.empty()) out.state = known;
  for (const StoredSnapshot& s : snapshots) {
    out.log.snapshots.push_back(s.snapshot);
    if (s.snapshot.id == durable.start) out.voters = s.voters;
  }
  for (const StoredBatch& b : durable.batches) {
    Result<wire::BatchHeader> header = wire::read_batch_header(b.bytes);
    if (!header->control()) continue;
    Result<std::vector<ControlRecord>> records = read_control_batch(*header, b.bytes);
    CHECK(records, "{}", records.error().to_string());
    for (ControlRecord& r : *records) {
      if (r.kraft_version) out.voters.set_kraft_version(r.offset, *r.kraft_version);
      if (r.voters) out.voters.set_voters(r.offset, *r.voters);
    }
  }
  return out;
}

}  // namespace moldau::raft::test
