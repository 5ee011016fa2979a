#include "host/posix/stderr_sink.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "host/posix/machine.h"

namespace moldau::host::posix {
namespace {

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody is there to be told
    text.remove_prefix(static_cast<size_t>(n));
  }
}

}  // namespace

void StderrSink::write(std::string_view line) {
  std::string whole(line);
  whole += '\n';
  write_all(STDERR_FILENO, whole);
}

LogFormat stderr_format() {
  if (!stderr_is_terminal()) return LogFormat::json;
  return environment("NO_COLOR") ? LogFormat::text : LogFormat::color;
}

void print(std::string_view text) { write_all(STDOUT_FILENO, text); }

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::vector<std::pair<std::string, std::string>> environment() {
  std::vector<std::pair<std::string, std::string>> all;
  for (char** one = environ; one && *one; one++) {
    std::string_view text = *one;
    size_t equals = text.find('=');
    if (equals != text.npos) all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

}  // namespace moldau::host::posix
