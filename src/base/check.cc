#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace moldau {
namespace {
CheckHook g_hook = nullptr;
}

void set_check_hook(CheckHook hook) { g_hook = hook; }

void check_failed(const char* file, int line, std::string_view condition, std::string values) {
  fmt::print(stderr, "moldau: bug at {}:{}: CHECK({}) failed{}{}\n", file, line, condition,
             values.empty() ? "" : ": ", values);
  std::fflush(stderr);
  if (CheckHook hook = std::exchange(g_hook, nullptr)) hook();
  std::abort();
}

}  // namespace moldau
