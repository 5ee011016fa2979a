// A bounded queue, first in first out, whose memory is allocated once: mailboxes, pipelines,
// anything that waits in line. What does not fit is refused, and the caller decides what that
// means.
#pragma once
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "base/check.h"

namespace moldau {

template <class T>
class RingQueue {
 public:
  // capacity > 0.
  explicit RingQueue(size_t capacity)
      : slots_(
            static_cast<Slot*>(::operator new(capacity * sizeof(T), std::align_val_t{alignof(T)}))),
        capacity_(capacity) {
    CHECK(capacity > 0, "a queue without room");
  }
  RingQueue(const RingQueue&) = delete;
  RingQueue& operator=(const RingQueue&) = delete;
  ~RingQueue() { clear(); }

  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == capacity_; }

  // False, and value as it was, if the queue is full.
  [[nodiscard]] bool push(T&& value) { return emplace(std::move(value)); }
  [[nodiscard]] bool push(const T& value) { return emplace(value); }
  // The oldest; the queue is not empty.
  T& front() {
    CHECK(size_ > 0, "front of an empty queue");
    return *at(first_);
  }
  T pop() {
    T value = std::move(front());
    drop_front();
    return value;
  }
  // The i-th oldest, i < size().
  const T& operator[](size_t i) const {
    CHECK(i < size_, "{} of {}", i, size_);
    return *at(wrapped(first_ + i));
  }
  void clear() {
    while (size_ > 0) drop_front();
  }

 private:
  struct alignas(T) Slot {
    std::byte bytes[sizeof(T)];
  };
  struct Free {
    void operator()(Slot* p) const { ::operator delete(p, std::align_val_t{alignof(T)}); }
  };
  size_t wrapped(size_t i) const { return i < capacity_ ? i : i - capacity_; }
  T* at(size_t i) const { return std::launder(reinterpret_cast<T*>(slots_.get() + i)); }
  template <class U>
  bool emplace(U&& value) {
    if (full()) return false;
    new (slots_.get() + wrapped(first_ + size_)) T(std::forward<U>(value));
    size_++;
    return true;
  }
  void drop_front() {
    std::destroy_at(at(first_));
    first_ = wrapped(first_ + 1);
    size_--;
  }

  std::unique_ptr<Slot[], Free> slots_;  // [first_, first_ + size_), wrapped, are alive
  size_t capacity_;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace moldau
