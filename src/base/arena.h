// An arena holds what one request needs while it is answered: arrays of decoded fields, short
// texts, the fields of the reply. Everything in it dies together; nothing in it has a destructor
// that matters.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace moldau {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  // Uninitialised memory, aligned to at most 16.
  void* allocate(size_t bytes, size_t align);
  // n value-initialised elements.
  template <class T>
  std::span<T> array(size_t n) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena runs no destructors");
    T* p = static_cast<T*>(allocate(n * sizeof(T), alignof(T)));
    std::uninitialized_value_construct_n(p, n);
    return {p, n};
  }
  // A copy of text that lives as long as the arena.
  std::string_view copy(std::string_view text) {
    char* p = static_cast<char*>(allocate(text.size(), 1));
    if (!text.empty()) std::memcpy(p, text.data(), text.size());
    return {p, text.size()};
  }
  // Forgets everything, keeps the first block for the next request.
  void reset();
  size_t bytes_used() const { return used_; }

 private:
  static constexpr size_t kFirstBlock = 4096;
  struct Block {
    std::unique_ptr<std::byte[]> memory;
    size_t size;
  };
  std::vector<Block> blocks_;
  size_t at_ = 0;    // in the last block
  size_t used_ = 0;  // in all blocks, without alignment gaps
};

}  // namespace moldau
