// The armed timers of one loop: an indexed binary heap, O(log n) to arm and to disarm, first in
// first out among equal deadlines. Both backends use it.
#pragma once
#include <vector>

#include "host/op.h"

namespace moldau::host {

class TimerHeap {
 public:
  void arm(Timer& timer);
  void disarm(Timer& timer);  // nothing happens if it is not armed
  Instant next() const { return heap_.empty() ? kNever : heap_[0]->at; }
  Timer* pop_due(Instant now);  // nullptr: none is due
  bool empty() const { return heap_.empty(); }

 private:
  static bool before(const Timer& a, const Timer& b);
  void place(size_t i, Timer* timer);
  void up(size_t i);
  void down(size_t i);
  std::vector<Timer*> heap_;
  uint64_t sequence_ = 0;
};

}  // namespace moldau::host
