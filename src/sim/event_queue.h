// The one queue of a simulated world: what happens when. Events of one instant run in the order of
// their tie, which the scheduler draws at random (or counts up, in runs that are to be read).
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace moldau::sim {

constexpr uint32_t kNoNode = UINT32_MAX;

struct Event {
  int64_t at = 0;  // nanoseconds since the world began
  uint64_t tie = 0;
  void (*run)(void* context, uint64_t argument) = nullptr;
  void* context = nullptr;
  uint64_t argument = 0;
  uint32_t node = kNoNode;  // dropped if this node has died since: its epoch is another
  uint32_t epoch = 0;
};

class EventQueue {
 public:
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  const Event& top() const { return heap_.front(); }
  void push(const Event& event) {
    heap_.push_back(event);
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  Event pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Event event = heap_.back();
    heap_.pop_back();
    return event;
  }

 private:
  static bool later(const Event& a, const Event& b) {
    return a.at != b.at ? a.at > b.at : a.tie > b.tie;
  }
  std::vector<Event> heap_;
};

}  // namespace moldau::sim
