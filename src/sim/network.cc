#include "sim/network.h"

#include <algorithm>

#include "base/check.h"
#include "sim/network_facade.h"
#include "sim/world.h"

namespace moldau::sim {
namespace {

constexpr int64_t kRetransmit = 200'000'000;  // nanoseconds until a lost packet is sent again
constexpr int64_t kLongestBackoff = 1'000'000'000;

bool loopback(const host::IpAddress& ip) {
  host::IpAddress v6_self{.v6 = true};
  v6_self.bytes[15] = 1;
  return ip == v6_self || (!ip.v6 && ip.bytes[0] == 127);
}

}  // namespace

Network::Network(World& world)
    : world_(world),
      delays_(world.stream("network.delays")),
      splits_(world.stream("network.splits")),
      choices_(world.stream("network.choices")) {}

Network::~Network() = default;

host::IpAddress Network::ip_of(uint32_t node) {
  uint32_t host = node + 1;
  return host::IpAddress::v4(10, 0, static_cast<uint8_t>(host >> 8), static_cast<uint8_t>(host));
}

host::IpAddress Network::ip_v6_of(uint32_t node) {
  host::IpAddress ip{.v6 = true};
  ip.bytes[0] = 0xfd;
  ip.bytes[14] = static_cast<uint8_t>((node + 1) >> 8);
  ip.bytes[15] = static_cast<uint8_t>(node + 1);
  return ip;
}

std::optional<uint32_t> Network::node_at(const host::IpAddress& ip, uint32_t asking) const {
  if (loopback(ip) || ip.is_any()) return asking;
  for (uint32_t i = 0; i < links_.size(); i++)
    if (ip == ip_of(i) || ip == ip_v6_of(i)) return i;
  return std::nullopt;
}

void Network::add_node(uint32_t id) {
  links_.emplace_back();
  for (auto& from : links_) from.resize(id + 1);
  next_port_.push_back(40'000);
}

std::unique_ptr<host::Network> Network::facade(SimLoop& loop) {
  return std::make_unique<SimNetwork>(*this, loop);
}

const End* Network::find(EndId id) const {
  auto found = connections_.find(id / 2);
  return found == connections_.end() ? nullptr : &found->second->ends[id % 2];
}

End* Network::end_at(EndId id) { return const_cast<End*>(std::as_const(*this).find(id)); }
End& Network::peer_of(const End& end) { return *end_at(end.id ^ 1); }
Node& Network::node_of(const End& end) { return world_.node(end.node); }

bool Network::blocked(const End& from) {
  const End& to = peer_of(from);
  return link(from.node, to.node).cut > 0 || !node_of(to).powered() ||
         connections_.at(from.id / 2)->blackhole;
}

bool Network::late(SimLoop& loop, host::Op& op) {
  if (world_.fifo() || !choices_.one_in(world_.options().network.late)) return true;
  loop.finish(op);
  return false;
}

size_t Network::maybe_short(size_t n) {
  if (n < 2 || !splits_.one_in(world_.options().network.short_io)) return n;
  if (splits_.one_in(4)) return 1;
  return 1 + static_cast<size_t>(splits_.below(n));
}

int64_t Network::arrival(uint32_t from, uint32_t to, size_t bytes) {
  const NetworkOptions& options = world_.options().network;
  Link& way = link(from, to);
  int64_t rate = std::max<int64_t>(1, options.bytes_per_second / way.slowdown);
  int64_t carrying = static_cast<int64_t>(bytes) * 1'000'000'000 / rate;
  way.free_at = std::max(world_.now().nanos, way.free_at) + carrying;
  uint64_t jitter = delays_.below(static_cast<uint64_t>(options.jitter.nanos) + 1);
  int64_t at = way.free_at + options.latency.nanos + static_cast<int64_t>(jitter) + way.extra.nanos;
  int64_t again = kRetransmit;
  for (int tries = 0; tries < 5 && way.lost_per_mille > 0; tries++, again *= 2) {
    if (delays_.below(1000) >= static_cast<uint64_t>(way.lost_per_mille)) break;
    at += again;
  }
  return at;
}

// ---- bytes under way

void Network::transmit(End& from, Packet packet) {
  packet.arrives = arrival(from.node, peer_of(from).node, packet.bytes.size());
  from.out.push_back(std::move(packet));
  schedule_pump(from);
}

void Network::schedule_pump(End& from) {
  if (from.pump_scheduled || from.out.empty()) return;
  from.pump_scheduled = true;
  world_.at(from.out.front().arrives + from.backoff, &Network::on_pump, this, from.id);
}

void Network::on_pump(void* self, uint64_t id) {
  auto& network = *static_cast<Network*>(self);
  End* from = network.end_at(id);
  if (!from) return;
  from->pump_scheduled = false;
  if (!from->out.empty()) network.pump(*from);
  network.reap(id);
}

void Network::pump(End& from) {
  if (blocked(from)) return stalled(from);
  from.stalled_since = -1;
  from.backoff = 0;
  Packet packet = std::move(from.out.front());
  from.out.pop_front();
  deliver(from, std::move(packet));
  schedule_pump(from);
}

// Sends again, more and more rarely, until it gives up. Nobody but the sender ever learns of it.
void Network::stalled(End& from) {
  int64_t now = world_.now().nanos;
  if (from.stalled_since < 0) from.stalled_since = now;
  if (now - from.stalled_since >= world_.options().network.stall_timeout.nanos) {
    from.out.clear();
    return break_end(from, Errc::timed_out, "Connection timed out");
  }
  int64_t wait = std::clamp(from.backoff * 2, kRetransmit, kLongestBackoff);
  wait += static_cast<int64_t>(delays_.below(static_cast<uint64_t>(kRetransmit)));
  from.backoff = wait;
  from.out.front().arrives = now;
  schedule_pump(from);
}

void Network::deliver(End& from, Packet packet) {
  End& to = peer_of(from);
  if (packet.kind == Packet::Kind::reset)
    return break_end(to, Errc::reset, "Connection reset by peer");
  if (to.vanished || (to.closed && packet.kind == Packet::Kind::data)) {
    if (!to.broken) transmit(to, {.kind = Packet::Kind::reset});
    return;
  }
  if (to.broken) return;
  if (packet.kind == Packet::Kind::fin) {
    to.fin_in = true;
  } else if (to.unread() == 0) {
    to.in = std::move(packet.bytes);
    to.in_read = 0;
  } else {
    to.in.insert(to.in.end(), packet.bytes.begin(), packet.bytes.end());
  }
  if (to.recv && fill(to, *to.recv)) to.loop->finish(*std::exchange(to.recv, nullptr));
}

void Network::break_end(End& end, Errc code, const char* why) {
  if (end.broken) return;
  end.broken = true;
  world_.tell("{}: connection {} to {}: {}", node_of(end).name(), end.id / 2,
              end.remote.to_string(), why);
  end.broken_code = code;
  end.broken_why = why;
  if (choices_.one_in(2)) end.in_read = end.in.size();  // what was not read is lost, or is not
  finish_all(end, code, why);
}

void Network::finish_all(End& end, Errc code, const char* why) {
  if (host::RecvOp* op = std::exchange(end.recv, nullptr)) {
    op->fail(code, why);
    end.loop->finish(*op);
  }
  if (host::SendOp* op = std::exchange(end.send, nullptr)) {
    op->fail(code, why);
    end.loop->finish(*op);
  }
}

// ---- what the program does with its end

bool Network::fill(End& end, host::RecvOp& op) {
  if (size_t there = std::min(end.unread(), op.into.size())) {
    size_t n = maybe_short(there);
    std::copy_n(end.in.begin() + static_cast<ptrdiff_t>(end.in_read), n, op.into.begin());
    end.in_read += n;
    end.read += n;
    if (end.unread() == 0) {
      end.in.clear();
      end.in_read = 0;
    }
    acknowledge(end);
    return op.succeed(static_cast<int64_t>(n));
  }
  if (end.broken) return op.fail(end.broken_code, end.broken_why);
  if (end.fin_in || op.into.empty()) return op.succeed(0);
  return false;
}

// Tells the sender that there is room. Behind a cut it learns that once something gets through
// again.
void Network::acknowledge(End& reader) {
  End& sender = peer_of(reader);
  bool heard = !blocked(reader);
  if (heard) sender.acked = reader.read;
  if (heard && !sender.send) return;
  look_for_room(sender, heard ? world_.options().network.latency.nanos : kRetransmit);
}

void Network::look_for_room(End& sender, int64_t wait) {
  if (sender.room_scheduled || sender.released || sender.broken) return;
  sender.room_scheduled = true;
  world_.at(world_.now().nanos + wait, &Network::on_room, this, sender.id);
}

void Network::on_room(void* self, uint64_t id) {
  auto& network = *static_cast<Network*>(self);
  End* sender = network.end_at(id);
  if (!sender) return;
  sender->room_scheduled = false;
  if (sender->broken || sender->closed) return;
  const End& reader = network.peer_of(*sender);
  if (sender->acked != reader.read && network.blocked(reader))
    return network.look_for_room(*sender, kRetransmit);
  sender->acked = reader.read;
  if (sender->send && network.put(*sender, *sender->send))
    sender->loop->finish(*std::exchange(sender->send, nullptr));
}

bool Network::start_recv(EndId id, host::RecvOp& op) {
  End* end = end_at(id);
  if (!end || end->closed) return op.fail(Errc::cancelled, "the stream is closed");
  CHECK(!end->recv, "two tasks receive from one stream");
  if (fill(*end, op)) return late(*end->loop, op);
  end->recv = &op;
  return false;
}

bool Network::put(End& end, host::SendOp& op) {
  if (end.broken) return op.fail(end.broken_code, end.broken_why);
  size_t under_way = static_cast<size_t>(end.sent - end.acked);
  size_t window = world_.options().network.window;
  if (under_way >= window) return false;
  size_t room = window - under_way;
  if (op.file) return put_file(end, op, room);
  size_t total = 0;
  for (Bytes part : op.parts) total += part.size();
  if (total == 0) return op.succeed(0);
  size_t n = maybe_short(std::min(room, total));
  Packet packet;
  packet.bytes.reserve(n);
  for (Bytes part : op.parts) {
    size_t take = std::min(part.size(), n - packet.bytes.size());
    packet.bytes.insert(packet.bytes.end(), part.begin(),
                        part.begin() + static_cast<ptrdiff_t>(take));
  }
  end.sent += n;
  transmit(end, std::move(packet));
  return op.succeed(static_cast<int64_t>(n));
}

bool Network::start_send(EndId id, host::SendOp& op) {
  End* end = end_at(id);
  if (!end || end->closed) return op.fail(Errc::cancelled, "the stream is closed");
  if (end->fin_out) return op.fail(Errc::closed, "Broken pipe");
  CHECK(!end->send, "two tasks send to one stream");
  if (put(*end, op)) return late(*end->loop, op);
  end->send = &op;
  return false;
}

void Network::shutdown_send(EndId id) {
  End* end = end_at(id);
  if (!end || end->closed || end->fin_out) return;
  end->fin_out = true;
  if (!end->broken) transmit(*end, {.kind = Packet::Kind::fin});
}

// As TCP: who closes with unread bytes tells the peer that they are lost, which may cost the peer
// what was on the way to it.
void Network::close(EndId id) {
  End* end = end_at(id);
  if (!end || end->closed) return;
  end->closed = true;
  finish_all(*end, Errc::cancelled, "the stream is closed");
  if (end->broken || end->vanished) return;
  if (end->unread() > 0) {
    cut_short(*end, choices_);
    transmit(*end, {.kind = Packet::Kind::reset});
  } else if (!end->fin_out) {
    end->fin_out = true;
    transmit(*end, {.kind = Packet::Kind::fin});
  }
}

void Network::release(EndId id) {
  End* end = end_at(id);
  if (!end) return;
  CHECK(!end->recv && !end->send, "a stream is destroyed while an operation is under way");
  close(id);
  end->released = true;
  reap(id);
}

void Network::reap(EndId id) {
  auto found = connections_.find(id / 2);
  if (found == connections_.end()) return;
  for (const End& end : found->second->ends)
    if (!end.released || !end.out.empty()) return;
  connections_.erase(found);
}

// Takes back a random end part of what is on the way.
void Network::cut_short(End& end, Random& random) {
  size_t whole = static_cast<size_t>(random.below(end.out.size() + 1));
  if (whole < end.out.size()) {
    Packet& last = end.out[whole];
    last.bytes.resize(static_cast<size_t>(random.below(last.bytes.size() + 1)));
    bool part = last.kind == Packet::Kind::data && !last.bytes.empty();
    end.out.resize(whole + part);
  }
}

std::vector<uint64_t> Network::connections_of(uint32_t node) const {
  std::vector<uint64_t> found;
  for (auto& [id, connection] : connections_)
    if (connection->ends[0].node == node || connection->ends[1].node == node) found.push_back(id);
  return found;
}

size_t Network::reset_connections(uint32_t node, Random& random, uint64_t one_in) {
  size_t n = 0;
  for (uint64_t id : connections_of(node)) {
    if (!random.one_in(one_in)) continue;
    for (EndId end_id : {id * 2, id * 2 + 1}) {
      End* end = end_at(end_id);
      if (!end || end->broken || end->vanished) continue;
      cut_short(*end, random);
      transmit(*end, {.kind = Packet::Kind::reset});
    }
    n++;
  }
  return n;
}

size_t Network::blackhole_connections(uint32_t node, Random& random, uint64_t one_in) {
  size_t n = 0;
  for (uint64_t id : connections_of(node)) {
    if (!random.one_in(one_in)) continue;
    connections_.at(id)->blackhole = true;
    n++;
  }
  return n;
}

void Network::on_crash(Node& node, Crash kind) {
  std::erase_if(connecting_, [&](auto& item) { return &item.second.loop->node() == &node; });
  for (SimListener* listener : listeners_)
    if (&listener->loop.node() == &node) listener->accepting = nullptr;
  for (uint64_t id : connections_of(node.id())) {
    for (EndId end_id : {id * 2, id * 2 + 1}) {
      End* end = end_at(end_id);
      if (!end || end->node != node.id()) continue;
      end->recv = nullptr;
      end->send = nullptr;
      end->released = true;
      if (kind == Crash::process) {
        close(end_id);
      } else {
        end->closed = end->vanished = true;
        cut_short(*end, choices_);
      }
      reap(end_id);
    }
  }
}

}  // namespace moldau::sim
