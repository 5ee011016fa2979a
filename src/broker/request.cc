#include "broker/request.h"

#include "base/check.h"

namespace moldau::broker {

MutableBytes Request::writable(Bytes view) const {
  if (view.empty()) return {};
  size_t offset = static_cast<size_t>(view.data() - frame.bytes.data());
  CHECK(offset + view.size() <= frame.bytes.size(), "a view outside the frame");
  return frame.bytes.subspan(offset, view.size());
}

}  // namespace moldau::broker
