#include "metadata/controller/sessions.h"

#include <algorithm>

namespace moldau::metadata {

void Sessions::touch(BrokerId broker, int64_t epoch, int64_t metadata_offset, Instant now) {
  Session& session = all_[broker];
  if (session.epoch != epoch) session = Session{.epoch = epoch};
  session.heard = now;
  session.metadata_offset = std::max(session.metadata_offset, metadata_offset);
}

void Sessions::begin_shutdown(BrokerId broker, int64_t offset) {
  auto at = all_.find(broker);
  if (at != all_.end() && !at->second.shutdown_offset) at->second.shutdown_offset = offset;
}

const Session* Sessions::find(BrokerId broker) const {
  auto at = all_.find(broker);
  return at == all_.end() ? nullptr : &at->second;
}

bool Sessions::valid(BrokerId broker, int64_t epoch, Instant now) const {
  const Session* session = find(broker);
  return session && session->epoch == epoch && now < session->heard + timeout_;
}

std::vector<BrokerId> Sessions::expired(Instant now) const {
  std::vector<BrokerId> out;
  for (const auto& [broker, session] : all_)
    if (now >= session.heard + timeout_) out.push_back(broker);
  return out;
}

Instant Sessions::next_expiry() const {
  Instant next = kNever;
  for (const auto& [broker, session] : all_) next = std::min(next, session.heard + timeout_);
  return next;
}

}  // namespace moldau::metadata
