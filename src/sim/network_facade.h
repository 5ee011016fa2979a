// What a simulated node holds of the network: its Network, listeners and streams, each only an id
// into sim/network.
#pragma once
#include <deque>

#include "sim/network.h"

namespace moldau::sim {

class SimStream final : public host::Stream {
 public:
  SimStream(Network& network, EndId id);
  ~SimStream() override { network_.release(id_); }
  void shutdown_send() override { network_.shutdown_send(id_); }
  void close() override { network_.close(id_); }
  host::Address peer() const override { return peer_; }
  host::Address local() const override { return local_; }
  bool start(host::RecvOp& op) override { return network_.start_recv(id_, op); }
  bool start(host::SendOp& op) override { return network_.start_send(id_, op); }

 private:
  Network& network_;
  const EndId id_;
  host::Address peer_;
  host::Address local_;
};

class SimListener final : public host::Listener {
 public:
  SimListener(Network& n, SimLoop& l, const host::Address& a) : network(n), loop(l), at(a) {}
  ~SimListener() override { network.close_listener(*this); }
  void close() override { network.close_listener(*this); }
  host::Address local() const override { return at; }
  bool start(host::AcceptOp& op) override { return network.start_accept(*this, op); }

  Network& network;
  SimLoop& loop;
  const host::Address at;
  std::deque<EndId> waiting;  // for accept
  host::AcceptOp* accepting = nullptr;
  bool closed = false;
};

class SimNetwork final : public host::Network {
 public:
  SimNetwork(sim::Network& network, SimLoop& loop) : network_(network), loop_(loop) {}
  Result<std::unique_ptr<host::Listener>> listen(const host::Address& at) override {
    return network_.listen(at, loop_);
  }
  bool start(host::ConnectOp& op) override { return network_.start_connect(op, loop_); }
  bool start(host::ResolveOp& op) override { return network_.start_resolve(op, loop_); }

 private:
  sim::Network& network_;
  SimLoop& loop_;
};

}  // namespace moldau::sim
