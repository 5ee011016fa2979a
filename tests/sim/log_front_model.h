// Where one simulated log may begin: what deletion and retention were asked for and have promised.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "log/retention.h"

namespace moldau::logsim {

struct ModelBatch;

class FrontModel {
 public:
  // As the log said last. It only rises, but for a log that is begun anew.
  Offset start() const { return start_; }
  // The log may begin at or below this offset: what lies below may be gone.
  Offset most() const { return most_; }

  // Somebody has asked for that, and may get it even if the process dies before it is said.
  void allow(Offset to) { most_ = std::max(most_, to); }
  // Retention is at it, and decides when it comes to it: up to what is committed then.
  void retaining(bool on) { retaining_ = on; }
  bool retaining() const { return retaining_; }
  // It was said to be done: no crash takes that back.
  void promise(Offset start) { promised_ = std::max(promised_, start); }
  // The log is cut at `end`, which may lie inside a batch that began before the start: then it
  // begins there.
  void cutting(Offset end) { promised_ = std::min(promised_, end); }
  void cut(Offset end) { start_ = std::min(start_, end); }
  // Everything goes, and the log goes on at `at`: from here on until restarted() or a new life it
  // may begin as it did, or there.
  void restarting(Offset at) { anew_ = at; }
  void restarted(Offset at);

  // What the log says. An error is a text that says what is wrong.
  std::optional<std::string> observe(Offset start);
  // A new life of the process found this. A log that was to begin anew is there if the second
  // holds.
  std::optional<std::string> recovered(Offset start, Offset end);
  std::optional<Offset> anew() const { return anew_; }

 private:
  Offset start_, promised_, most_;
  std::optional<Offset> anew_;
  bool retaining_ = false;
};

// S9: may everything below `to` go by these rules, of a log that holds `batches` from `start` on?
// An error says why not. now: the latest that the log's clock may have shown.
std::optional<std::string> judge_removal(const std::map<Offset, ModelBatch>& batches,
                                         const log::RetentionRules& rules, Offset start, Offset to,
                                         WallTime now);

}  // namespace moldau::logsim
