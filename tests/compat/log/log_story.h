// What happens to one partition: batches of idempotent and transactional producers, markers, and
// batches that a broker must refuse or has already. The same story is played on our log and on
// Apache Kafka's. Pure; a seed gives the same story.
#pragma once
#include <deque>
#include <vector>

#include "base/random.h"
#include "log/producer_state.h"
#include "wire/codec.h"

namespace moldau::log {

class LogStory {
 public:
  struct Options {
    uint64_t seed = 1;
    wire::Codec codec = wire::Codec::none;
    uint64_t keys = 60;
    uint64_t wrong = 0;  // one step of so many is a wrong one; 0: none
  };
  struct Step {
    Origin origin = Origin::client;
    int64_t time = 0;  // milliseconds since 1970, rising
    std::vector<uint8_t> batch;
  };

  explicit LogStory(const Options& options);
  Step next();
  // Ends a transaction that is open; nothing: none is.
  std::optional<Step> end_open();
  int64_t now() const { return time_; }  // milliseconds since 1970

 private:
  static constexpr size_t kRemembered = 7;  // more than a broker does
  struct Producer {
    int64_t id = -1;
    int16_t epoch = 0;
    int32_t sequence = 0;
    bool transactional = false;
    bool open = false;
    int32_t coordinator_epoch = 3;
    std::deque<std::vector<uint8_t>> sent;
  };

  std::vector<uint8_t> data(Producer& producer, int32_t sequence);
  std::vector<uint8_t> marker(const Producer& producer, bool abort) const;
  Step right(Producer& producer);
  Step end(Producer& producer);
  Step wrong(Producer& producer);
  Step wrong_marker(Producer& producer);
  Step with(Origin origin, std::vector<uint8_t> batch) const { return {origin, time_, batch}; }
  bool accepted(const Step& step);

  const Options options_;
  Random random_;
  int64_t time_;
  int64_t written_ = 0;
  std::vector<Producer> producers_;
  // Foretells what is taken, so that right batches stay right behind wrong ones.
  ProducerState state_;
  Offset end_{0};
};

}  // namespace moldau::log
