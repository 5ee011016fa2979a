#include "log/transaction_index.h"

#include <fmt/format.h>

namespace moldau::log {
namespace {
constexpr int16_t kVersion = 0;
constexpr size_t kEntry = 34;
}  // namespace

std::vector<uint8_t> encode_aborted(const AbortedList& list) {
  std::vector<uint8_t> out(list.size() * kEntry);
  uint8_t* at = out.data();
  for (const AbortedTransaction& one : list) {
    store_be(at, kVersion);
    store_be(at + 2, one.producer.value);
    store_be(at + 10, one.first.value);
    store_be(at + 18, one.last.value);
    store_be(at + 26, one.last_stable.value);
    at += kEntry;
  }
  return out;
}

Result<AbortedList> decode_aborted(Bytes in) {
  if (in.size() % kEntry != 0)
    return fail(Errc::corrupt,
                fmt::format("transaction index of {} bytes: not whole entries", in.size()));
  AbortedList list;
  for (; !in.empty(); in = in.subspan(kEntry)) {
    int16_t version = load_be<int16_t>(in.data());
    if (version != kVersion)
      return fail(Errc::unsupported,
                  fmt::format("transaction index: entry {} of version {}", list.size(), version));
    AbortedTransaction one{
        ProducerId(load_be<int64_t>(in.data() + 2)), Offset(load_be<int64_t>(in.data() + 10)),
        Offset(load_be<int64_t>(in.data() + 18)), Offset(load_be<int64_t>(in.data() + 26))};
    bool rises = list.empty() || one.last > list.back().last;
    if (!rises || one.first.value < 0 || one.first > one.last || one.last_stable.value < 0)
      return fail(Errc::corrupt, fmt::format("transaction index: entry {} ({} to {}, stable {})",
                                             list.size(), one.first, one.last, one.last_stable));
    list.push_back(one);
  }
  return list;
}

bool collect_aborted(const AbortedList& list, Offset from, Offset upper, AbortedList& out) {
  for (const AbortedTransaction& one : list) {
    if (one.last >= from && one.first < upper) out.push_back(one);
    // All that began before were decided when this one ended: what comes later begins behind it.
    if (one.last_stable >= upper) return true;
  }
  return false;
}

void truncate_aborted(AbortedList& list, Offset end) {
  while (!list.empty() && list.back().last >= end) list.pop_back();
}

}  // namespace moldau::log
