// The simulated network: TCP connections between nodes. Bytes of one direction stay in order;
// everything else may happen: short reads and writes, delays, stalls, resets in the middle, peers
// that vanish. Node i is 10.0.0.<i+1> and fd00::<i+1>; loopback addresses are the node itself.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "base/random.h"
#include "host/network.h"
#include "sim/connection.h"
#include "sim/loop.h"
#include "sim/node.h"
#include "sim/options.h"

namespace moldau::sim {

class SimListener;

// One direction between two nodes. Faults add to it and take away again what they added.
struct Link {
  int cut = 0;             // > 0: nothing gets through
  Duration extra{};        // on top of the latency
  int64_t slowdown = 1;    // of the bandwidth
  int lost_per_mille = 0;  // packets that have to be sent again
  int64_t free_at = 0;     // world time at which it has carried what was given to it
};

class Network {
 public:
  explicit Network(World& world);
  ~Network();

  static host::IpAddress ip_of(uint32_t node);
  static host::IpAddress ip_v6_of(uint32_t node);

  void add_node(uint32_t id);
  std::unique_ptr<host::Network> facade(SimLoop& loop);
  Link& link(uint32_t from, uint32_t to) { return links_[from][to]; }
  void on_crash(Node& node, Crash kind);

  // Breaks about one in `one_in` of the connections of a node, anywhere in what is under way.
  // Returns how many.
  size_t reset_connections(uint32_t node, Random& random, uint64_t one_in);
  // From now on nothing that these connections carry arrives, and nobody is told.
  size_t blackhole_connections(uint32_t node, Random& random, uint64_t one_in);
  size_t connections() const { return connections_.size(); }

  // For the facades.
  World& world() { return world_; }
  bool start_connect(host::ConnectOp& op, SimLoop& loop);
  bool start_resolve(host::ResolveOp& op, SimLoop& loop);
  Result<std::unique_ptr<host::Listener>> listen(const host::Address& at, SimLoop& loop);
  bool start_accept(SimListener& listener, host::AcceptOp& op);
  void close_listener(SimListener& listener);
  bool start_recv(EndId id, host::RecvOp& op);
  bool start_send(EndId id, host::SendOp& op);
  void shutdown_send(EndId id);
  void close(EndId id);
  void release(EndId id);  // the stream is gone
  const End* find(EndId id) const;

 private:
  struct Connecting {
    host::ConnectOp* op;
    SimLoop* loop;
    uint32_t to;
    int64_t deadline;  // world time
    int64_t retry = 1'000'000'000;
  };
  End* end_at(EndId id);
  End& peer_of(const End& end);
  Node& node_of(const End& end);
  bool blocked(const End& from);
  bool late(SimLoop& loop, host::Op& op);
  int64_t arrival(uint32_t from, uint32_t to, size_t bytes);
  size_t maybe_short(size_t n);
  std::optional<uint32_t> node_at(const host::IpAddress& ip, uint32_t asking) const;

  static void on_syn(void* self, uint64_t id);
  static void on_pump(void* self, uint64_t end);
  static void on_room(void* self, uint64_t end);
  void syn(uint64_t id);
  void refuse(uint64_t id);
  SimListener* listener_at(const host::Address& at, uint32_t node);
  void establish(uint64_t id, SimListener& listener);
  bool fill(End& end, host::RecvOp& op);
  bool put(End& end, host::SendOp& op);
  bool put_file(End& end, host::SendOp& op, size_t room);
  void transmit(End& from, Packet packet);
  void schedule_pump(End& from);
  void pump(End& from);
  void stalled(End& from);
  void deliver(End& from, Packet packet);
  void break_end(End& end, Errc code, const char* why);
  void finish_all(End& end, Errc code, const char* why);
  void acknowledge(End& reader);
  void look_for_room(End& sender, int64_t wait);
  void finish_at(int64_t time, SimLoop& loop, host::Op& op);
  void cut_short(End& end, Random& random);
  void reap(EndId id);
  std::vector<uint64_t> connections_of(uint32_t node) const;

  World& world_;
  Random delays_;
  Random splits_;
  Random choices_;
  std::vector<std::vector<Link>> links_;  // [from][to]
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  uint64_t next_connection_ = 1;
  std::map<uint64_t, Connecting> connecting_;
  uint64_t next_connecting_ = 1;
  std::vector<SimListener*> listeners_;
  std::vector<uint16_t> next_port_;  // by node
};

}  // namespace moldau::sim
