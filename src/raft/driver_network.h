// Peers over Kafka's protocol: one connection a node, made when it is needed and again after it has
// ended, in the highest versions that both sides know.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <string>

#include "host/buffer_pool.h"
#include "host/env.h"
#include "raft/driver_peers.h"
#include "wire/api_key.h"

namespace moldau::raft {

class NetworkPeers final : public Peers {
 public:
  struct Options {
    std::string client_id;                           // "raft-client-1"
    Duration request_timeout = milliseconds(2'000);  // controller.quorum.request.timeout.ms
    Duration reconnect_backoff = milliseconds(50);   // between two tries
  };
  NetworkPeers(host::Env& env, Options options);
  NetworkPeers(const NetworkPeers&) = delete;
  NetworkPeers& operator=(const NetworkPeers&) = delete;
  ~NetworkPeers() override;

  host::Task<Result<Response>> ask(BrokerId to, std::vector<Endpoint> endpoints,
                                   Request request) override;
  void close() override;

 private:
  class Connection;
  struct Peer {
    std::unique_ptr<Connection> connection;  // empty: none
    Endpoint at;                             // where it goes
    bool busy = false;
    Instant connect_at;  // not before
  };
  host::Task<Result<Response>> exchange(Peer& peer, Endpoint at, Request request);
  host::Task<Result<void>> connect(Peer& peer, Endpoint at);

  host::Env& env_;
  const Options options_;
  host::BufferPool pool_{0};
  std::map<BrokerId, Peer> peers_;
  bool closed_ = false;
};

}  // namespace moldau::raft
