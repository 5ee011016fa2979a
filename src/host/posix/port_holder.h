// Who listens on a port: for the error message of a server that cannot start.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace moldau::host::posix {

struct PortHolder {
  int pid = 0;
  std::string command;  // as ps shows it: "java"
};
// Reads /proc. Nothing if nobody listens there or the holder belongs to somebody else (only root
// sees those).
std::optional<PortHolder> find_port_holder(uint16_t port);
// ", held by pid 4711 (java)", or nothing.
std::string describe_port_holder(uint16_t port);

}  // namespace moldau::host::posix
