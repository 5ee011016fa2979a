// Creates one topic, or deletes it, and waits until the broker has said that it is done.
#include "load.h"

namespace moldau::bench {
namespace {

struct Admin {
  rd_kafka_t* client;
  rd_kafka_queue_t* answers;
};

Admin open_admin(const Options& options) {
  char why[256];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", options.brokers);
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (!client) die(why);
  return {client, rd_kafka_queue_new(client)};
}

rd_kafka_event_t* answer(const Admin& admin) {
  rd_kafka_event_t* event = rd_kafka_queue_poll(admin.answers, 60'000);
  if (!event) die("no answer after 60 s");
  if (rd_kafka_event_error(event)) die(rd_kafka_event_error_string(event));
  return event;
}

void check(const rd_kafka_topic_result_t** results, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]))
      die(rd_kafka_err2str(error));
}

void close(const Admin& admin, rd_kafka_event_t* event) {
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(admin.answers);
  rd_kafka_destroy(admin.client);
}

}  // namespace

void create_topic(const Options& options) {
  Admin admin = open_admin(options);
  char why[256];
  rd_kafka_NewTopic_t* topic =
      rd_kafka_NewTopic_new(options.topic.c_str(), options.partitions, 1, why, sizeof why);
  if (!topic) die(why);
  Outcome outcome;
  Stopwatch watch;
  rd_kafka_CreateTopics(admin.client, &topic, 1, nullptr, admin.answers);
  rd_kafka_event_t* event = answer(admin);
  size_t count = 0;
  check(rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count),
        count);
  watch.stop(outcome);
  print(outcome);
  rd_kafka_NewTopic_destroy(topic);
  close(admin, event);
}

void delete_topic(const Options& options) {
  Admin admin = open_admin(options);
  rd_kafka_DeleteTopic_t* topic = rd_kafka_DeleteTopic_new(options.topic.c_str());
  Outcome outcome;
  Stopwatch watch;
  rd_kafka_DeleteTopics(admin.client, &topic, 1, nullptr, admin.answers);
  rd_kafka_event_t* event = answer(admin);
  size_t count = 0;
  check(rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count),
        count);
  watch.stop(outcome);
  print(outcome);
  rd_kafka_DeleteTopic_destroy(topic);
  close(admin, event);
}

}  // namespace moldau::bench
