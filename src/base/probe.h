// Probes: names for rare situations, so that the simulator can tell which of them its runs have
// reached.
//   MOLDAU_PROBE("log.torn_tail_cut");
// Nothing in a release build; elsewhere a call to the sink, if one is set (the simulator's).
#pragma once

namespace moldau {

#ifdef MOLDAU_PLANTED_BUGS
// One sink for the process, set before the threads that hit probes exist; nullptr takes it away.
using ProbeSink = void (*)(const char* name);
void set_probe_sink(ProbeSink sink);
void probe_hit(const char* name);
#endif

}  // namespace moldau

#ifdef MOLDAU_PLANTED_BUGS
#define MOLDAU_PROBE(name) ::moldau::probe_hit(name)
#else
#define MOLDAU_PROBE(name) static_cast<void>(0)
#endif
