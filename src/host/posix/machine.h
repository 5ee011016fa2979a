// What the program may know about the machine and itself. Answers for defaults and messages;
// nothing fails.
#pragma once
#include <cstddef>
#include <cstdint>

namespace moldau::host::posix {

// Cores that this process may use: its affinity, and the quota of its control group (a container's
// limit), rounded up.
size_t usable_cores();
bool stderr_is_terminal();
// Memory that this process holds right now, in bytes.
int64_t resident_bytes();
// Raises the number of descriptors to the most that is allowed without a privilege; returns it.
int64_t raise_descriptor_limit();
// Large blocks go back to the system when they are freed, and the heap does not give back and fetch
// the same few MiB again and again. The buffers that must stay warm are in a BufferPool.
void settle_allocator();

}  // namespace moldau::host::posix
