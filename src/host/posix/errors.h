// What the system's error numbers mean to Moldau. The only place that translates them.
#pragma once
#include "host/op.h"

namespace moldau::host::posix {

// Unknown numbers are Errc::io.
Errc errc_of(int error);
// Static text, the same in every language setting: "No space left on device".
const char* text_of(int error);
// Ends op with the error; returns true so that a start function can end with it.
inline bool fail_with(Op& op, int error) { return op.fail(errc_of(error), text_of(error)); }
inline Error error_of(int error) { return Error(errc_of(error), text_of(error)); }

}  // namespace moldau::host::posix
