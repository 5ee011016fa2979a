#include "broker/request.h"

#include "base/check.h"

namespace moldau::broker {

MutableBytes Request::writable(Bytes view) const {
  if (view.empty()) return {};
  size_t offset = static_cast<size_t>(view.data() - frame.bytes.data());
  CHECK(offset + view.size() <= frame.bytes.size(), "a view outside the frame");
  return frame.bytes.subspan(offset, view.size());
}

ReplyWriter::ReplyWriter(const Request& request) : length_(chain_.extend(4)), writer_(chain_) {
  writer_.int32(request.correlation_id);
  if (request.api.response_header(request.version) == 1) writer_.varint(0);   // no tagged fields
}

net::Outgoing ReplyWriter::finish() && {
  store_be(length_.data(), static_cast<uint32_t>(chain_.size() - length_.size()));
  net::Outgoing out;
  out.chain = std::move(chain_);
  return out;
}

}  // namespace moldau::broker
