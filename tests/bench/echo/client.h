// The load: connections that each keep `depth` frames under way, as fast as the server answers.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace moldau::bench {

struct Load {
  size_t frame = 1024;  // bytes of content
  size_t connections = 8;
  size_t depth = 16;
  double seconds = 0.5;  // measured, after a fifth of it to warm up
};
struct Figures {
  double requests_per_second = 0;
  double server_micros = 0;  // CPU of the server's process for each request
};
Figures run_load(const Load& load, uint16_t port, pid_t server);

}  // namespace moldau::bench
