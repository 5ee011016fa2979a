// CHECK: a bug in Moldau stops the process and says where, what and with which values. Always on.
// Nothing a peer or a disk can send may reach one: bad input is a Result (base/result.h).
#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace moldau {

// Prints the failure and aborts. Before that it calls the hook, once: the simulator prints its seed
// there.
[[noreturn]] void check_failed(const char* file, int line, std::string_view condition,
                               std::string values);
using CheckHook = void (*)();
void set_check_hook(CheckHook hook);

inline std::string check_values() { return {}; }
template <class... A>
std::string check_values(fmt::format_string<A...> format, A&&... args) {
  return fmt::format(format, std::forward<A>(args)...);
}

}  // namespace moldau

// CHECK(offset <= end, "offset {} is past the end {}", offset, end);
#define CHECK(condition, ...)                                                                      \
  do {                                                                                             \
    if (!(condition)) [[unlikely]]                                                                 \
      ::moldau::check_failed(__FILE__, __LINE__, #condition, ::moldau::check_values(__VA_ARGS__)); \
  } while (false)
