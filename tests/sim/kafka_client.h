// A simulated Kafka client: requests and answers as values, a connection that is made anew when it
// fails, a deadline for each exchange.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/chain.h"
#include "base/ids.h"
#include "host/address.h"
#include "host/buffer_pool.h"
#include "host/env.h"
#include "host/op.h"
#include "host/task.h"
#include "net/client_connection.h"

namespace moldau::kafka {

struct Produced {
  int16_t error = 0;
  Offset base;
};
struct Fetched {
  int16_t error = 0;
  int32_t partition = 0;
  Offset high_watermark;
  std::vector<uint8_t> records;
};
struct FetchFrom {
  int32_t partition = 0;
  Offset offset;
};
struct FetchLimits {
  int32_t max_wait_ms = 500;
  int32_t min_bytes = 1;
  int32_t max_bytes = 1 << 20;
  int32_t partition_bytes = 1 << 20;
};

class Client : host::Timer {
 public:
  Client(host::Env& env, host::Address broker);
  ~Client();

  // Errors of all: the connection's. Any error leaves the client without one; the next call makes
  // another. Asks for the topic, which makes it. The number of its partitions; 0: not there yet.
  host::Task<Result<int32_t>> partitions(std::string topic);
  // Several requests in flight at once, one for each batch; the answers in their order.
  host::Task<Result<std::vector<Produced>>> produce(std::string topic, int32_t partition,
                                                    std::vector<std::vector<uint8_t>> batches);
  host::Task<Result<std::vector<Fetched>>> fetch(std::string topic, std::vector<FetchFrom> from,
                                                 FetchLimits limits);
  // Where the partition begins; nothing if it is not served just now.
  host::Task<Result<std::optional<Offset>>> earliest(std::string topic, int32_t partition);
  void set_patience(Duration patience) { patience_ = patience; }
  void disconnect() { connection_.reset(); }

 private:
  host::Task<Result<void>> connect();
  host::Task<Result<net::Frame>> receive(int32_t correlation);
  template <class T>
  host::Task<Result<T>> guard(host::Task<Result<T>> exchange);
  host::Task<Result<int32_t>> do_partitions(std::string topic);
  host::Task<Result<std::vector<Produced>>> do_produce(std::string topic, int32_t partition,
                                                       std::vector<std::vector<uint8_t>> batches);
  host::Task<Result<std::vector<Fetched>>> do_fetch(std::string topic, std::vector<FetchFrom> from,
                                                    FetchLimits limits);
  host::Task<Result<std::optional<Offset>>> do_earliest(std::string topic, int32_t partition);

  host::Env& env_;
  const host::Address broker_;
  host::BufferPool pool_{0};
  std::unique_ptr<net::ClientConnection> connection_;
  int32_t correlation_ = 0;
  Duration patience_ = seconds(10);
};

}  // namespace moldau::kafka
