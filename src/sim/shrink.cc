// Shrinking of failing runs. It works because no fault shares its randomness with another: what is
// left out does not reshuffle the rest.
#include <algorithm>

#include "sim/runner.h"

namespace moldau::sim {
namespace {

class Shrinker {
 public:
  Shrinker(const RunSpec& spec, const RunResult& failed, size_t attempts,
           const ShrinkProgress& progress)
      : best_{spec, failed, 0},
        checker_(failed.findings.front().checker),
        limit_(attempts),
        progress_(progress) {
    best_.spec.narrate = {};
    best_.spec.faults = failed.faults;
    best_.spec.knobs = failed.knobs;
  }

  Shrunk go() {
    drop_later();
    drop_kinds();
    drop_faults();
    lower([](RunSpec& s) -> int64_t& { return s.knobs.clients; });
    lower([](RunSpec& s) -> int64_t& { return s.knobs.operations; });
    drop_faults();
    return std::move(best_);
  }

 private:
  // Takes the candidate over if it still fails in the same way.
  bool attempt(const RunSpec& candidate) {
    if (best_.attempts >= limit_) return false;
    best_.attempts++;
    RunResult result = run_once(candidate);
    if (progress_) progress_(best_.attempts, best_.spec.faults->faults.size());
    if (!result.failed() || result.findings.front().checker != checker_) return false;
    best_.spec = candidate;
    best_.result = std::move(result);
    return true;
  }

  // What starts after the finding had no part in it.
  void drop_later() {
    Duration found = best_.result.findings.front().at - Instant{};
    RunSpec candidate = best_.spec;
    auto dropped =
        std::erase_if(candidate.faults->faults, [&](const Fault& f) { return f.start > found; });
    if (dropped > 0) attempt(candidate);
  }

  void drop_kinds() {
    for (unsigned k = 0; k < static_cast<unsigned>(FaultKind::count_); k++) {
      auto kind = static_cast<FaultKind>(k);
      RunSpec candidate = best_.spec;
      auto dropped =
          std::erase_if(candidate.faults->faults, [&](const Fault& f) { return f.kind == kind; });
      if (dropped > 0) attempt(candidate);
    }
  }

  // Delta debugging: leave out larger pieces first, then smaller ones.
  void drop_faults() {
    for (size_t piece = (best_.spec.faults->faults.size() + 1) / 2; piece > 0; piece /= 2) {
      size_t at = 0;
      while (at < best_.spec.faults->faults.size() && best_.attempts < limit_) {
        RunSpec candidate = best_.spec;
        auto& faults = candidate.faults->faults;
        size_t end = std::min(at + piece, faults.size());
        faults.erase(faults.begin() + static_cast<ptrdiff_t>(at),
                     faults.begin() + static_cast<ptrdiff_t>(end));
        if (!attempt(candidate)) at += piece;
      }
    }
  }

  template <class Field>
  void lower(Field field) {
    int64_t fine = 1, wrong = field(best_.spec);
    while (fine < wrong) {
      RunSpec candidate = best_.spec;
      int64_t middle = fine + (wrong - fine) / 2;
      field(candidate) = middle;
      if (attempt(candidate))
        wrong = middle;
      else
        fine = middle + 1;
    }
  }

  Shrunk best_;
  const std::string checker_;
  const size_t limit_;
  const ShrinkProgress& progress_;
};

}  // namespace

Shrunk shrink(const RunSpec& spec, const RunResult& failed, size_t attempts,
              const ShrinkProgress& progress) {
  return Shrinker(spec, failed, attempts, progress).go();
}

}  // namespace moldau::sim
