// A controller's listener: a port where the other members of the quorum ask, and whoever asks a
// controller. It answers ApiVersions, DescribeCluster and the quorum's requests; what else is asked
// of a controller somebody else may answer here.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "host/address.h"
#include "host/buffer_pool.h"
#include "host/env.h"
#include "host/scope.h"
#include "net/server_connection.h"
#include "raft/driver_serve.h"
#include "wire/frame.h"

namespace moldau::host {
class Listener;
class Logger;
}  // namespace moldau::host

namespace moldau::raft {

struct FeatureRange {
  std::string name;
  int16_t min = 0, max = 0;
};
// What ApiVersions says of features (KIP-584): those that this node knows, those that are finalized
// in the metadata log, and as of which offset.
struct Features {
  std::vector<FeatureRange> supported, finalized;
  int64_t epoch = -1;
};

// The rest of a controller.
class ControllerApis {
 public:
  virtual ~ControllerApis() = default;
  virtual Features features() const = 0;
  // Besides those, or instead of them; in the versions of wire::ApiInfo::in_4_3.
  virtual std::span<const wire::ApiKey> apis() const { return {}; }
  // One of those. The frame is what start views. Errors end the connection.
  virtual host::Task<Result<net::Outgoing>> handle(net::Frame frame, wire::RequestStart start);
};

class Listener {
 public:
  // Errors: address_in_use and the network's. Driver, APIs and logger outlive the listener.
  static Result<std::unique_ptr<Listener>> open(host::Env& env, const host::Address& at,
                                                Driver& driver, ControllerApis& apis,
                                                const host::Logger* logger = nullptr);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  host::Address address() const;
  // Ends all connections. Close the driver before: requests that wait in it end with it.
  host::Task<void> stop();

 private:
  Listener(host::Env& env, std::unique_ptr<host::Listener> listener, Driver& driver,
           ControllerApis& apis, const host::Logger* logger);
  host::Task<void> accept();
  host::Task<void> serve(std::unique_ptr<host::Stream> stream);

  host::Env& env_;
  std::unique_ptr<host::Listener> listener_;
  Driver& driver_;
  ControllerApis& apis_;
  const host::Logger* const logger_;
  host::BufferPool pool_{1 << 20};
  std::map<uint64_t, net::ServerConnection*> live_;  // by a number that rises
  uint64_t next_connection_ = 0;
  bool stopping_ = false;
  host::Scope tasks_;  // they use all of the above
};

}  // namespace moldau::raft
