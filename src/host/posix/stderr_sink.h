// Log lines to standard error, one write each.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/logging.h"

namespace moldau::host::posix {

class StderrSink : public LogSink {
 public:
  void write(std::string_view line) override;
};

// Colour on a terminal (unless NO_COLOR is set), JSON otherwise.
LogFormat stderr_format();
// To standard output, at once.
void print(std::string_view text);
// An environment variable; nothing if it is not set.
std::optional<std::string> environment(const char* name);
// All of them, as name and value.
std::vector<std::pair<std::string, std::string>> environment();

}  // namespace moldau::host::posix
