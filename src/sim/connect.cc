// Listening, connecting, accepting and names: the beginnings of connections in the simulated
// network.
#include <algorithm>

#include "base/check.h"
#include "sim/disk.h"
#include "sim/network.h"
#include "sim/network_facade.h"
#include "sim/world.h"

namespace moldau::sim {

SimStream::SimStream(Network& network, EndId id) : network_(network), id_(id) {
  const End* end = network.find(id);
  peer_ = end->remote;
  local_ = end->local;
}

Result<std::unique_ptr<host::Listener>> Network::listen(const host::Address& at, SimLoop& loop) {
  uint32_t node = loop.node().id();
  if (node_at(at.ip, node) != node)
    return fail(Errc::invalid, at.to_string() + " is not an address of this machine");
  host::Address address = at;
  if (address.port == 0) address.port = next_port_[node]++;
  auto listener = std::make_unique<SimListener>(*this, loop, address);
  listeners_.push_back(listener.get());
  return listener;
}

bool Network::start_accept(SimListener& listener, host::AcceptOp& op) {
  if (listener.closed) return op.fail(Errc::cancelled, "the listener is closed");
  CHECK(!listener.accepting, "two tasks accept from one listener");
  if (listener.waiting.empty()) {
    listener.accepting = &op;
    return false;
  }
  EndId id = listener.waiting.front();
  listener.waiting.pop_front();
  op.stream = std::make_unique<SimStream>(*this, id);
  op.succeed();
  return late(listener.loop, op);
}

void Network::close_listener(SimListener& listener) {
  if (std::exchange(listener.closed, true)) return;
  std::erase(listeners_, &listener);
  if (host::AcceptOp* op = std::exchange(listener.accepting, nullptr)) {
    op->fail(Errc::cancelled, "the listener is closed");
    listener.loop.finish(*op);
  }
  for (EndId id : listener.waiting) {  // connected, but nobody will ever answer
    End* end = end_at(id);
    if (!end || end->released) continue;
    end->closed = end->released = true;
    if (!end->broken) transmit(*end, {.kind = Packet::Kind::reset});
    reap(id);
  }
  listener.waiting.clear();
}

bool Network::start_connect(host::ConnectOp& op, SimLoop& loop) {
  uint32_t from = loop.node().id();
  std::optional<uint32_t> to = node_at(op.to.ip, from);
  if (!to) return op.fail(Errc::unreachable, "No route to host");
  int64_t deadline = world_.now().nanos + world_.options().network.connect_timeout.nanos;
  uint64_t id = next_connecting_++;
  connecting_[id] = {&op, &loop, *to, deadline};
  world_.at(arrival(from, *to, 0), &Network::on_syn, this, id);
  return false;
}

void Network::on_syn(void* self, uint64_t id) {
  auto& network = *static_cast<Network*>(self);
  if (network.connecting_.contains(id)) network.syn(id);
}

void Network::syn(uint64_t id) {
  Connecting& attempt = connecting_.at(id);
  uint32_t from = attempt.loop->node().id();
  bool answered = link(from, attempt.to).cut == 0 && link(attempt.to, from).cut == 0 &&
                  world_.node(attempt.to).powered();
  SimListener* listener = answered ? listener_at(attempt.op->to, attempt.to) : nullptr;
  if (answered && !listener) return refuse(id);
  if (listener && listener->waiting.size() < world_.options().network.backlog)
    return establish(id, *listener);
  int64_t now = world_.now().nanos;
  if (now >= attempt.deadline) {
    attempt.op->fail(Errc::timed_out, "Connection timed out");
    attempt.loop->finish(*attempt.op);
    connecting_.erase(id);
    return;
  }
  int64_t next = std::min(now + attempt.retry, attempt.deadline);
  attempt.retry *= 2;
  world_.at(next, &Network::on_syn, this, id);
}

void Network::refuse(uint64_t id) {
  Connecting attempt = connecting_.at(id);
  connecting_.erase(id);
  attempt.op->fail(Errc::refused, "Connection refused");
  finish_at(arrival(attempt.to, attempt.loop->node().id(), 0), *attempt.loop, *attempt.op);
}

// If several loops listen there, any of them gets the connection.
SimListener* Network::listener_at(const host::Address& at, uint32_t node) {
  std::vector<SimListener*> found;
  for (SimListener* listener : listeners_) {
    if (listener->loop.node().id() != node || listener->at.port != at.port) continue;
    bool any = listener->at.ip.is_any() && (listener->at.ip.v6 || !at.ip.v6);
    if (any || listener->at.ip == at.ip) found.push_back(listener);
  }
  if (found.empty()) return nullptr;
  return found[static_cast<size_t>(choices_.below(found.size()))];
}

void Network::establish(uint64_t id, SimListener& listener) {
  Connecting attempt = connecting_.at(id);
  connecting_.erase(id);
  Node& client = attempt.loop->node();
  uint64_t number = next_connection_++;
  auto connection = std::make_unique<Connection>();
  End& near = connection->ends[0];
  End& far = connection->ends[1];
  near.id = number * 2;
  far.id = number * 2 + 1;
  near.node = client.id();
  far.node = attempt.to;
  near.loop = attempt.loop;
  far.loop = &listener.loop;
  host::Address to = attempt.op->to;
  if (to.ip.is_any()) to.ip = to.ip.v6 ? client.ip_v6() : client.ip();
  bool self = attempt.to == client.id();
  host::IpAddress own = to.ip.v6 ? client.ip_v6() : client.ip();
  near.local = {self ? to.ip : own, next_port_[client.id()]++};
  if (next_port_[client.id()] < 40'000) next_port_[client.id()] = 40'000;
  near.remote = to;
  far.local = to;
  far.remote = near.local;
  world_.tell("{}: connection {} to {}", client.name(), number, to.to_string());
  connections_.emplace(number, std::move(connection));
  listener.waiting.push_back(far.id);
  if (host::AcceptOp* op = std::exchange(listener.accepting, nullptr)) {
    op->stream = std::make_unique<SimStream>(*this, far.id);
    listener.waiting.pop_back();
    op->succeed();
    listener.loop.finish(*op);
  }
  attempt.op->stream = std::make_unique<SimStream>(*this, near.id);
  attempt.op->succeed();
  finish_at(arrival(attempt.to, client.id(), 0), *attempt.loop, *attempt.op);
}

// The loop remembers the operation; if its node dies before, it is forgotten with the node's epoch.
void Network::finish_at(int64_t time, SimLoop& loop, host::Op& op) {
  auto done = [](void* context, uint64_t loop_address) {
    reinterpret_cast<SimLoop*>(loop_address)->finish(*static_cast<host::Op*>(context));
  };
  world_.at(time, done, &op, reinterpret_cast<uint64_t>(&loop), &loop.node());
}

bool Network::start_resolve(host::ResolveOp& op, SimLoop& loop) {
  if (auto numeric = host::IpAddress::parse(op.host)) {
    op.addresses = {*numeric};
    return op.succeed();
  }
  if (op.host == "localhost") op.addresses.push_back(host::IpAddress::v4(127, 0, 0, 1));
  for (size_t i = 0; i < world_.size(); i++)
    if (world_.node(i).name() == op.host) op.addresses.push_back(ip_of(static_cast<uint32_t>(i)));
  if (op.addresses.empty())
    op.fail(Errc::unreachable, "Name or service not known");
  else
    op.succeed();
  uint64_t delay = delays_.below(1'000'000);
  finish_at(world_.now().nanos + static_cast<int64_t>(delay), loop, op);
  return false;
}

bool Network::put_file(End& end, host::SendOp& op, size_t room) {
  Packet packet;
  packet.bytes.resize(maybe_short(std::min(room, op.length)));
  Result<size_t> n = Disk::read_for_send(*op.file, packet.bytes, op.position);
  if (!n) return op.fail(n.error().code(), "the file cannot be read");
  if (*n == 0) return op.succeed(0);
  packet.bytes.resize(*n);
  end.sent += *n;
  transmit(end, std::move(packet));
  return op.succeed(static_cast<int64_t>(*n));
}

}  // namespace moldau::sim
