#include "host/task.h"

#include <cstdlib>
#include <new>

#include "base/check.h"
#include "host/monitor.h"

namespace moldau::host {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MOLDAU_NO_FRAME_POOL 1  // let the sanitizer see every frame
#endif
#endif

// Free lists in steps of 64 bytes up to 4 KiB. Larger frames come from the heap each time.
class FramePool {
 public:
  ~FramePool() {
    for (Node*& list : free_)
      while (Node* node = list) {
        list = node->next;
        ::operator delete(node);
      }
  }
  void* get(size_t bytes) {
    size_t c = (bytes + kStep - 1) / kStep;
    if (c >= kClasses) return ::operator new(bytes);
    if (Node* node = free_[c]) {
      free_[c] = node->next;
      return node;
    }
    return ::operator new(c * kStep);
  }
  void put(void* frame, size_t bytes) {
    size_t c = (bytes + kStep - 1) / kStep;
    if (c >= kClasses) return ::operator delete(frame);
    Node* node = static_cast<Node*>(frame);
    node->next = free_[c];
    free_[c] = node;
  }

 private:
  struct Node {
    Node* next;
  };
  static constexpr size_t kStep = 64, kClasses = 64;
  Node* free_[kClasses] = {};
};

thread_local FramePool t_frames;
thread_local int t_monitors = 0;

}  // namespace

#ifdef MOLDAU_NO_FRAME_POOL
void* allocate_frame(size_t bytes) { return ::operator new(bytes); }
void free_frame(void* frame, size_t) { ::operator delete(frame); }
#else
void* allocate_frame(size_t bytes) { return t_frames.get(bytes); }
void free_frame(void* frame, size_t bytes) { t_frames.put(frame, bytes); }
#endif

void PromiseBase::unhandled_exception() const noexcept { std::abort(); }

void check_may_suspend() { CHECK(t_monitors == 0, "a task suspends inside a Monitor"); }

MonitorScope::MonitorScope() {
  CHECK(t_monitors == 0, "a Monitor is entered inside a Monitor");
  t_monitors++;
}
MonitorScope::~MonitorScope() { t_monitors--; }

}  // namespace moldau::host
