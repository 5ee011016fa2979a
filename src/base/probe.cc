#include "base/probe.h"

#ifdef MOLDAU_PLANTED_BUGS
namespace moldau {
namespace {
ProbeSink g_sink = nullptr;
}
void set_probe_sink(ProbeSink sink) { g_sink = sink; }
void probe_hit(const char* name) {
  if (g_sink) g_sink(name);
}
}  // namespace moldau
#endif
