#include "host/posix/port_holder.h"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string_view>

namespace moldau::host::posix {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// Adds the sockets (as /proc/PID/fd names them) that listen on the port to `found`.
void listening_sockets(const char* table, uint16_t port, std::set<std::string>& found) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
        timeout >> inode;
    size_t colon = local.rfind(':');
    if (state != "0A" || colon == std::string::npos) continue;  // 0A: listening
    unsigned number = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), number, 16);
    if (number == port) found.insert("socket:[" + inode + "]");
  }
}

bool holds_one_of(const std::string& process, const std::set<std::string>& sockets) {
  std::string folder = process + "/fd";
  Directory fds(::opendir(folder.c_str()));
  if (!fds) return false;
  while (const dirent* entry = ::readdir(fds.get())) {
    std::array<char, 64> target;
    std::string link = folder + "/" + entry->d_name;
    ssize_t n = ::readlink(link.c_str(), target.data(), target.size());
    if (n > 0 && sockets.contains(std::string(target.data(), static_cast<size_t>(n)))) return true;
  }
  return false;
}

}  // namespace

std::optional<PortHolder> find_port_holder(uint16_t port) {
  std::set<std::string> sockets;
  listening_sockets("/proc/net/tcp", port, sockets);
  listening_sockets("/proc/net/tcp6", port, sockets);
  Directory processes(::opendir("/proc"));
  if (sockets.empty() || !processes) return {};
  while (const dirent* entry = ::readdir(processes.get())) {
    std::string_view name = entry->d_name;
    PortHolder holder;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), holder.pid);
    std::string process = fmt::format("/proc/{}", name);
    if (error != std::errc() || end != name.data() + name.size() || !holds_one_of(process, sockets))
      continue;
    std::ifstream comm(process + "/comm");
    std::getline(comm, holder.command);
    return holder;
  }
  return {};
}

std::string describe_port_holder(uint16_t port) {
  std::optional<PortHolder> holder = find_port_holder(port);
  return holder ? fmt::format(", held by pid {} ({})", holder->pid, holder->command)
                : std::string();
}

}  // namespace moldau::host::posix
