// State of one simulated TCP connection: two ends, and what is on the way between them.
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

#include "host/network.h"
#include "sim/loop.h"

namespace moldau::sim {

// Connection number * 2, + 1 for the end that accepted. Never used again, so a late event finds
// nothing.
using EndId = uint64_t;

struct Packet {
  enum class Kind : uint8_t { data, fin, reset };
  Kind kind = Kind::data;
  int64_t arrives = 0;  // at the earliest; a packet in front of it may be late
  std::vector<uint8_t> bytes;
};

struct End {
  EndId id = 0;
  uint32_t node = 0;
  SimLoop* loop = nullptr;
  host::Address local;
  host::Address remote;

  std::vector<uint8_t> in;  // arrived; read up to in_read
  size_t in_read = 0;
  std::deque<Packet> out;  // towards the peer, in order
  bool pump_scheduled = false;
  bool room_scheduled = false;  // somebody will look whether the peer has read
  int64_t stalled_since = -1;
  int64_t backoff = 0;

  uint64_t sent = 0;   // bytes given to the network
  uint64_t acked = 0;  // of these, read by the peer's program as far as this end knows
  uint64_t read = 0;   // bytes that this end's program has read

  bool fin_in = false;    // the peer has finished sending, and all of it is in `in`
  bool fin_out = false;   // we have
  bool closed = false;    // by the program, or by its death
  bool released = false;  // no stream refers to it any more
  bool vanished = false;  // its machine lost power: it knows of no connection
  bool broken = false;
  Errc broken_code = Errc::reset;
  const char* broken_why = "";

  host::RecvOp* recv = nullptr;
  host::SendOp* send = nullptr;

  size_t unread() const { return in.size() - in_read; }
};

struct Connection {
  End ends[2];
  bool blackhole = false;
};

}  // namespace moldau::sim
