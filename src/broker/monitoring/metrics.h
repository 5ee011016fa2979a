// What is counted while the broker works, for the page of metrics (metrics_page.h). Pure; sits in a
// host::Monitor of Services. Only what cannot be asked of somebody else is counted here.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"
#include "wire/api_key.h"

namespace moldau::broker {

// Since the start. Clients' requests alone.
struct TopicTraffic {
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint64_t records_in = 0;
  uint64_t produce_requests = 0;  // each partition of a request counts
  uint64_t fetch_requests = 0;
  uint64_t failed_produce = 0;
  uint64_t failed_fetch = 0;
  TopicTraffic& operator+=(const TopicTraffic& o);
  bool operator==(const TopicTraffic&) const = default;
};

struct RequestCounts {
  // Upper bounds of the classes of times, in microseconds; behind the last one there is one more.
  static constexpr std::array<int64_t, 12> kBounds = {500,     1'000,   2'500,     5'000,
                                                      10'000,  25'000,  50'000,    100'000,
                                                      250'000, 500'000, 1'000'000, 5'000'000};
  uint64_t count = 0;
  uint64_t closed = 0;  // the connection was ended instead of an answer
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  int64_t total_micros = 0;
  std::array<uint64_t, kBounds.size() + 1> by_time{};
};

class Metrics {
 public:
  struct Handled {
    wire::ApiKey key{};
    Duration took;
    size_t bytes_in = 0;
    size_t bytes_out = 0;
    bool closed = false;
  };
  void handled(const Handled& request);
  // Of one partition of a topic that there is.
  void produced(std::string_view topic, size_t bytes, int32_t records);
  void produce_failed(std::string_view topic);
  void fetched(std::string_view topic, size_t bytes);
  void fetch_failed(std::string_view topic);
  void connection_opened() { opened_++; }
  void connection_closed() { closed_++; }
  // It is counted in the total from here on, not by its name.
  void forget_topic(std::string_view topic);

  const std::map<wire::ApiKey, RequestCounts>& requests() const { return requests_; }
  const std::map<std::string, TopicTraffic, std::less<>>& topics() const { return topics_; }
  TopicTraffic total() const;
  uint64_t connections_opened() const { return opened_; }
  uint64_t connections() const { return opened_ - closed_; }

 private:
  TopicTraffic& of(std::string_view topic);
  std::map<wire::ApiKey, RequestCounts> requests_;
  std::map<std::string, TopicTraffic, std::less<>> topics_;
  TopicTraffic gone_;  // of topics that were deleted
  uint64_t opened_ = 0;
  uint64_t closed_ = 0;
};

}  // namespace moldau::broker
