#include "host/timer_heap.h"

#include "base/check.h"

namespace moldau::host {

bool TimerHeap::before(const Timer& a, const Timer& b) {
  return a.at != b.at ? a.at < b.at : a.sequence < b.sequence;
}

void TimerHeap::place(size_t i, Timer* timer) {
  heap_[i] = timer;
  timer->slot = static_cast<int32_t>(i);
}

void TimerHeap::up(size_t i) {
  Timer* timer = heap_[i];
  for (; i > 0 && before(*timer, *heap_[(i - 1) / 2]); i = (i - 1) / 2)
    place(i, heap_[(i - 1) / 2]);
  place(i, timer);
}

void TimerHeap::down(size_t i) {
  Timer* timer = heap_[i];
  for (size_t child; (child = 2 * i + 1) < heap_.size(); i = child) {
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) child++;
    if (!before(*heap_[child], *timer)) break;
    place(i, heap_[child]);
  }
  place(i, timer);
}

void TimerHeap::arm(Timer& timer) {
  CHECK(timer.slot < 0, "a timer is armed twice");
  timer.sequence = sequence_++;
  heap_.push_back(&timer);
  up(heap_.size() - 1);
}

void TimerHeap::disarm(Timer& timer) {
  if (timer.slot < 0) return;
  size_t i = static_cast<size_t>(timer.slot);
  timer.slot = -1;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(i, last);
  up(i);
  down(static_cast<size_t>(last->slot));
}

Timer* TimerHeap::pop_due(Instant now) {
  if (heap_.empty() || heap_[0]->at > now) return nullptr;
  Timer* timer = heap_[0];
  disarm(*timer);
  return timer;
}

}  // namespace moldau::host
