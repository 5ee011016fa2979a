// A vector of at most N elements that lives where it is declared: no allocation, no growth.
#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "base/check.h"

namespace moldau {

template <class T, size_t N>
class FixedVector {
 public:
  FixedVector() = default;
  FixedVector(const FixedVector& other) { append(other.begin(), other.end()); }
  FixedVector(FixedVector&& other) noexcept { take(other); }
  FixedVector& operator=(const FixedVector& other) {
    if (this == &other) return *this;
    clear();
    append(other.begin(), other.end());
    return *this;
  }
  FixedVector& operator=(FixedVector&& other) noexcept {
    if (this == &other) return *this;
    clear();
    take(other);
    return *this;
  }
  ~FixedVector() { clear(); }

  static constexpr size_t capacity() { return N; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == N; }
  T* data() { return std::launder(reinterpret_cast<T*>(memory_)); }
  const T* data() const { return std::launder(reinterpret_cast<const T*>(memory_)); }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](size_t i) {
    CHECK(i < size_, "{} of {}", i, size_);
    return data()[i];
  }
  const T& operator[](size_t i) const {
    CHECK(i < size_, "{} of {}", i, size_);
    return data()[i];
  }
  T& back() { return (*this)[size_ - 1]; }

  // False, and value as it was, if there is no room.
  [[nodiscard]] bool push_back(T&& value) { return emplace(std::move(value)); }
  [[nodiscard]] bool push_back(const T& value) { return emplace(value); }
  void pop_back() { std::destroy_at(&back()), size_--; }
  // Keeps the order of the others; i < size().
  void erase_at(size_t i) {
    std::move(&(*this)[i] + 1, end(), data() + i);
    pop_back();
  }
  void clear() {
    std::destroy(begin(), end());
    size_ = 0;
  }
  friend bool operator==(const FixedVector& a, const FixedVector& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  template <class U>
  bool emplace(U&& value) {
    if (full()) return false;
    new (memory_ + size_ * sizeof(T)) T(std::forward<U>(value));
    size_++;
    return true;
  }
  void append(const T* from, const T* to) {
    std::uninitialized_copy(from, to, data());
    size_ = static_cast<size_t>(to - from);
  }
  void take(FixedVector& other) {
    std::uninitialized_move(other.begin(), other.end(), data());
    size_ = other.size_;
    other.clear();
  }

  alignas(T) std::byte memory_[N * sizeof(T)];
  size_t size_ = 0;
};

}  // namespace moldau
