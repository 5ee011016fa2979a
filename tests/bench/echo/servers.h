// The two servers. Each runs in a process of its own until it is killed.
#pragma once
#include <string>

namespace moldau::bench {

// Writes the port it listens on (2 bytes, as they are in memory) to the descriptor `ready`. Frames
// go to `file`.
[[noreturn]] void serve_by_epoll(int ready, const std::string& file);
[[noreturn]] void serve_by_moldau(int ready, const std::string& file);

}  // namespace moldau::bench
