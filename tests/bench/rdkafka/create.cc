// Creates one topic and waits until the broker has said that it is there.
#include "load.h"

namespace moldau::bench {

void create_topic(const Options& options) {
  char why[256];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", options.brokers);
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (!client) die(why);
  rd_kafka_queue_t* answers = rd_kafka_queue_new(client);
  rd_kafka_NewTopic_t* topic =
      rd_kafka_NewTopic_new(options.topic.c_str(), options.partitions, 1, why, sizeof why);
  if (!topic) die(why);
  Outcome outcome;
  Stopwatch watch;
  rd_kafka_CreateTopics(client, &topic, 1, nullptr, answers);
  rd_kafka_event_t* event = rd_kafka_queue_poll(answers, 60'000);
  if (!event) die("no answer to CreateTopics after 60 s");
  if (rd_kafka_event_error(event)) die(rd_kafka_event_error_string(event));
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
  for (size_t i = 0; i < count; i++)
    if (rd_kafka_topic_result_error(results[i]))
      die(rd_kafka_err2str(rd_kafka_topic_result_error(results[i])));
  watch.stop(outcome);
  print(outcome);
  rd_kafka_event_destroy(event);
  rd_kafka_NewTopic_destroy(topic);
  rd_kafka_queue_destroy(answers);
  rd_kafka_destroy(client);
}

}  // namespace moldau::bench
