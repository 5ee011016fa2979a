// The transactions that were aborted in one segment, in the order of their markers: the file
// <base>.txnindex. Layout: docs/formats/transaction-index.md. Pure. Readers at isolation
// read_committed get the part that concerns what they fetch.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "log/producer_state.h"

namespace moldau::log {

using AbortedList = std::vector<AbortedTransaction>;
using AbortedRef = std::shared_ptr<const AbortedList>;

std::vector<uint8_t> encode_aborted(const AbortedList& list);
// Errors: corrupt (not whole entries, offsets that cannot be), unsupported (version).
Result<AbortedList> decode_aborted(Bytes in);

// Adds those that have records in [from, upper) to out. True: no later segment has any.
bool collect_aborted(const AbortedList& list, Offset from, Offset upper, AbortedList& out);
// Forgets those whose marker lies at or above end.
void truncate_aborted(AbortedList& list, Offset end);

}  // namespace moldau::log
