// Consumes all partitions of a topic from the beginning, without a group, until so many records
// have come.
#include "load.h"

namespace moldau::bench {
namespace {

constexpr int kTurnMs = 100;
constexpr int kPatience = 200;  // turns without a record: something hangs

rd_kafka_t* open_consumer(const Options& options) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", options.brokers);
  set(conf, "fetch.message.max.bytes", options.fetch_bytes);
  set(conf, "queued.min.messages", "1000000");
  set(conf, "queued.max.messages.kbytes", "65536");
  set(conf, "log_level", "4");
  char why[256];
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (!client) die(why);
  return client;
}

void count(rd_kafka_message_t* message, void* opaque) {
  auto& outcome = *static_cast<Outcome*>(opaque);
  if (message->err) {
    if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) outcome.failed++;
    return;
  }
  outcome.records++;
  outcome.bytes += static_cast<int64_t>(message->len);
}

}  // namespace

void consume(const Options& options) {
  rd_kafka_t* client = open_consumer(options);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, options.topic.c_str(), nullptr);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  Outcome outcome;
  Stopwatch watch;
  for (int32_t p = 0; p < options.partitions; p++)
    if (rd_kafka_consume_start_queue(topic, p, RD_KAFKA_OFFSET_BEGINNING, queue))
      die("cannot start to consume");
  // A turn may end early without a record: events of other kinds pass through the queue, too.
  for (int idle = 0; outcome.records < options.records; idle++) {
    int64_t before = outcome.records;
    rd_kafka_consume_callback_queue(queue, kTurnMs, count, &outcome);
    if (outcome.records > before) idle = 0;
    if (idle > kPatience) die("no more records, after " + std::to_string(before));
  }
  watch.stop(outcome);
  print(outcome);
  for (int32_t p = 0; p < options.partitions; p++) rd_kafka_consume_stop(topic, p);
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(client);
}

}  // namespace moldau::bench
