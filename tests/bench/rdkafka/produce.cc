// Produces records of one size, round robin over the partitions, as fast as librdkafka takes them,
// and counts the deliveries that the broker acknowledged.
#include <algorithm>
#include <vector>

#include "load.h"

namespace moldau::bench {
namespace {

struct Deliveries {
  int64_t done = 0;
  int64_t failed = 0;
};

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto& deliveries = *static_cast<Deliveries*>(opaque);
  deliveries.done++;
  if (message->err) deliveries.failed++;
}

rd_kafka_t* open_producer(const Options& options, Deliveries& deliveries) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  if (options.mock)
    set(conf, "test.mock.num.brokers", "1");
  else
    set(conf, "bootstrap.servers", options.brokers);
  set(conf, "acks", options.acks);
  set(conf, "linger.ms", options.linger_ms);
  set(conf, "queue.buffering.max.messages", "500000");
  set(conf, "queue.buffering.max.kbytes", "262144");
  set(conf, "log_level", "4");
  if (options.in_flight > 0) {
    set(conf, "batch.num.messages", "1");
    set(conf, "max.in.flight.requests.per.connection", std::to_string(options.in_flight));
    set(conf, "queue.buffering.max.messages",
        std::to_string(std::max<int64_t>(options.in_flight * 4, 256)));
  }
  rd_kafka_conf_set_opaque(conf, &deliveries);
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  char why[256];
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (!client) die(why);
  return client;
}

// Bytes that no compression on the way could make smaller.
std::vector<char> noise(int64_t size) {
  std::vector<char> bytes(static_cast<size_t>(size));
  uint64_t state = 0x9e3779b97f4a7c15;
  for (char& byte : bytes) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    byte = static_cast<char>(state);
  }
  return bytes;
}

void send_all(rd_kafka_t* client, rd_kafka_topic_t* topic, const Options& options,
              int64_t records) {
  std::vector<char> value = noise(options.size);
  for (int64_t i = 0; i < records; i++) {
    int32_t partition = static_cast<int32_t>(i % options.partitions);
    // The value is not copied: it outlives every delivery. The queue is bounded: when it is full,
    // wait for answers.
    while (rd_kafka_produce(topic, partition, 0, value.data(), value.size(), nullptr, 0, nullptr)) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        die(rd_kafka_err2str(rd_kafka_last_error()));
      rd_kafka_poll(client, 5);
    }
    if (i % 256 == 0) rd_kafka_poll(client, 0);
  }
  if (rd_kafka_flush(client, 60'000)) die("records are still not acknowledged after 60 s");
}

}  // namespace

void produce(const Options& options) {
  Deliveries deliveries;
  rd_kafka_t* client = open_producer(options, deliveries);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, options.topic.c_str(), nullptr);
  send_all(client, topic, options, options.partitions);  // connects, learns the leaders
  deliveries = {};
  Outcome outcome;
  Stopwatch watch;
  send_all(client, topic, options, options.records);
  watch.stop(outcome);
  outcome.failed = deliveries.failed;
  outcome.records = deliveries.done - deliveries.failed;
  outcome.bytes = outcome.records * options.size;
  print(outcome);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(client);
}

}  // namespace moldau::bench
