#include "broker/monitoring/metrics.h"

#include <gtest/gtest.h>

#include "broker/monitoring/prometheus_text.h"

namespace moldau::broker {
namespace {

TEST(Metrics, CountRequestsByTheirTime) {
  Metrics metrics;
  metrics.handled({.key = wire::ApiKey::fetch, .took = microseconds(500), .bytes_in = 10});
  metrics.handled({.key = wire::ApiKey::fetch, .took = microseconds(501), .bytes_out = 7});
  metrics.handled({.key = wire::ApiKey::fetch, .took = seconds(60), .closed = true});
  const RequestCounts& counts = metrics.requests().at(wire::ApiKey::fetch);
  EXPECT_EQ(counts.count, 3u);
  EXPECT_EQ(counts.closed, 1u);
  EXPECT_EQ(counts.bytes_in, 10u);
  EXPECT_EQ(counts.bytes_out, 7u);
  EXPECT_EQ(counts.total_micros, 60'001'001);
  EXPECT_EQ(counts.by_time.front(), 1u) << "the bound belongs to the class";
  EXPECT_EQ(counts.by_time[1], 1u);
  EXPECT_EQ(counts.by_time.back(), 1u);
}

TEST(Metrics, KeepTheTotalOfTopicsThatWent) {
  Metrics metrics;
  metrics.produced("a", 100, 3);
  metrics.fetched("a", 40);
  metrics.fetch_failed("b");
  metrics.produce_failed("b");
  TopicTraffic before = metrics.total();
  EXPECT_EQ(before, (TopicTraffic{.bytes_in = 100,
                                  .bytes_out = 40,
                                  .records_in = 3,
                                  .produce_requests = 2,
                                  .fetch_requests = 2,
                                  .failed_produce = 1,
                                  .failed_fetch = 1}));
  metrics.forget_topic("a");
  metrics.forget_topic("nobody");
  EXPECT_EQ(metrics.total(), before);
  EXPECT_EQ(metrics.topics().size(), 1u);
}

TEST(PrometheusTextTest, WritesFamiliesAndEscapesLabels) {
  PrometheusText out;
  out.family("a_total", "counter", "What it is.");
  out.sample({}, 5u);
  out.sample({{"topic", "x\"\\\ny"}, {"p", "1"}}, -3);
  out.family("b", "histogram", "Times.");
  out.sample({{"le", "0.5"}}, 2, "_bucket");
  out.sample({}, 0.25, "_sum");
  EXPECT_EQ(out.text(),
            "# HELP a_total What it is.\n# TYPE a_total counter\na_total 5\n"
            "a_total{topic=\"x\\\"\\\\\\ny\",p=\"1\"} -3\n"
            "# HELP b Times.\n# TYPE b histogram\nb_bucket{le=\"0.5\"} 2\nb_sum 0.25\n");
}

}  // namespace
}  // namespace moldau::broker
