// The containers against the standard ones, over random sequences of operations.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <list>
#include <memory>
#include <vector>

#include "base/fixed_vector.h"
#include "base/list.h"
#include "base/ring.h"

namespace moldau {
namespace {

RC_GTEST_PROP(RingQueueProperty, BehavesAsABoundedDeque, (const std::vector<uint8_t>& operations)) {
  size_t capacity = *rc::gen::inRange<size_t>(1, 9);
  RingQueue<int> queue(capacity);
  std::deque<int> model;
  int next = 0;
  for (uint8_t operation : operations) {
    if (operation % 3 != 0) {  // more pushes than pops, so that it is full at times
      bool fits = model.size() < capacity;
      RC_ASSERT(queue.push(next) == fits);
      if (fits) model.push_back(next);
      next++;
    } else if (!model.empty()) {
      RC_ASSERT(queue.pop() == model.front());
      model.pop_front();
    }
    RC_ASSERT(queue.size() == model.size());
    for (size_t i = 0; i < model.size(); i++) RC_ASSERT(queue[i] == model[i]);
  }
}

RC_GTEST_PROP(FixedVectorProperty, BehavesAsABoundedVector,
              (const std::vector<uint8_t>& operations)) {
  FixedVector<int, 5> fixed;
  std::vector<int> model;
  int next = 0;
  for (uint8_t operation : operations) {
    if (operation % 3 != 0) {
      bool fits = model.size() < 5;
      RC_ASSERT(fixed.push_back(next) == fits);
      if (fits) model.push_back(next);
      next++;
    } else if (!model.empty()) {
      size_t i = operation / 3 % model.size();
      fixed.erase_at(i);
      model.erase(model.begin() + static_cast<std::ptrdiff_t>(i));
    }
    RC_ASSERT(std::equal(fixed.begin(), fixed.end(), model.begin(), model.end()));
  }
}

struct Numbered : ListNode {
  explicit Numbered(int n) : number(n) {}
  int number;
};

RC_GTEST_PROP(ListProperty, BehavesAsAListOfWhatIsAlive, (const std::vector<uint8_t>& operations)) {
  List<Numbered> list;
  std::list<int> model;
  std::vector<std::unique_ptr<Numbered>> alive;
  int next = 0;
  for (uint8_t operation : operations) {
    size_t chosen = alive.empty() ? 0 : operation / 4 % alive.size();
    if (operation % 4 == 0 && !alive.empty()) {  // dies, linked or not
      model.remove(alive[chosen]->number);
      alive.erase(alive.begin() + static_cast<std::ptrdiff_t>(chosen));
    } else if (operation % 4 == 1) {
      Numbered* first = list.pop_front();
      RC_ASSERT((first == nullptr) == model.empty());
      if (first) {
        RC_ASSERT(first->number == model.front());
        model.pop_front();
      }
    } else {
      alive.push_back(std::make_unique<Numbered>(next));
      list.push_back(*alive.back());
      model.push_back(next++);
    }
    std::vector<int> seen;
    for (Numbered* n = list.front(); n; n = list.next(*n)) seen.push_back(n->number);
    RC_ASSERT(std::equal(seen.begin(), seen.end(), model.begin(), model.end()));
  }
}

}  // namespace
}  // namespace moldau
