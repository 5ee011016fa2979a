#include "sim/content.h"

#include <algorithm>
#include <cstring>

namespace moldau::sim {

size_t Content::read(int64_t position, MutableBytes out) const {
  if (position < 0 || position >= size_) return 0;
  size_t total = std::min(out.size(), static_cast<size_t>(size_ - position));
  for (size_t done = 0; done < total;) {
    int64_t at = position + static_cast<int64_t>(done);
    size_t inside = static_cast<size_t>(at % kPage);
    size_t n = std::min(total - done, static_cast<size_t>(kPage) - inside);
    const auto& page = pages_[static_cast<size_t>(at / kPage)];
    if (page)
      std::memcpy(out.data() + done, page->data() + inside, n);
    else
      std::memset(out.data() + done, 0, n);
    done += n;
  }
  return total;
}

void Content::write(int64_t position, Bytes bytes) {
  if (bytes.empty()) return;
  int64_t end = position + static_cast<int64_t>(bytes.size());
  if (end > size_) resize(end);
  for (size_t done = 0; done < bytes.size();) {
    int64_t at = position + static_cast<int64_t>(done);
    size_t inside = static_cast<size_t>(at % kPage);
    size_t n = std::min(bytes.size() - done, static_cast<size_t>(kPage) - inside);
    auto& page = pages_[static_cast<size_t>(at / kPage)];
    if (!page) page = std::make_unique<Page>();
    std::memcpy(page->data() + inside, bytes.data() + done, n);
    done += n;
  }
}

void Content::resize(int64_t size) {
  pages_.resize(static_cast<size_t>((size + kPage - 1) / kPage));
  if (size < size_ && size % kPage != 0 && pages_.back())
    std::fill(pages_.back()->begin() + size % kPage, pages_.back()->end(), uint8_t{0});
  size_ = size;
}

size_t Content::pages() const {
  return static_cast<size_t>(
      std::count_if(pages_.begin(), pages_.end(), [](auto& p) { return p != nullptr; }));
}

void Content::copy_from(const Content& other) {
  size_ = other.size_;
  pages_.clear();
  for (const auto& page : other.pages_)
    pages_.push_back(page ? std::make_unique<Page>(*page) : nullptr);
}

}  // namespace moldau::sim
