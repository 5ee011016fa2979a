#include "broker/monitoring/metrics_page.h"

#include <fmt/format.h>

#include "broker/monitoring/metrics.h"
#include "broker/monitoring/prometheus_text.h"
#include "broker/node.h"
#include "broker/services.h"
#include "coordinator/driver.h"
#include "log/log_dirs.h"
#include "replica/driver.h"
#include "wire/info.h"

namespace moldau::broker {

using host::Task;

namespace {

double seconds_of(int64_t micros) { return static_cast<double>(micros) / 1e6; }

void put_traffic(PrometheusText& out, const Metrics& metrics) {
  struct Family {
    std::string_view name;
    std::string_view help;
    uint64_t TopicTraffic::* value;
  };
  static constexpr Family kFamilies[] = {
      {"kafka_server_brokertopicmetrics_bytesin_total", "Bytes of records that producers sent.",
       &TopicTraffic::bytes_in},
      {"kafka_server_brokertopicmetrics_bytesout_total", "Bytes of records sent to consumers.",
       &TopicTraffic::bytes_out},
      {"kafka_server_brokertopicmetrics_messagesin_total", "Records that producers sent.",
       &TopicTraffic::records_in},
      {"kafka_server_brokertopicmetrics_totalproducerequests_total",
       "Partitions in produce requests.", &TopicTraffic::produce_requests},
      {"kafka_server_brokertopicmetrics_totalfetchrequests_total",
       "Partitions in answers to fetch requests.", &TopicTraffic::fetch_requests},
      {"kafka_server_brokertopicmetrics_failedproducerequests_total",
       "Those of them that were refused.", &TopicTraffic::failed_produce},
      {"kafka_server_brokertopicmetrics_failedfetchrequests_total",
       "Those of them that were refused.", &TopicTraffic::failed_fetch}};
  TopicTraffic total = metrics.total();
  for (const Family& family : kFamilies) {
    out.family(family.name, "counter", family.help);
    out.sample({}, total.*family.value);
    for (const auto& [topic, traffic] : metrics.topics())
      out.sample({{"topic", topic}}, traffic.*family.value);
  }
}

void put_request_times(PrometheusText& out, const Metrics& metrics) {
  out.family("moldau_request_seconds", "histogram",
             "From a request's last byte to its answer; a fetch may wait as long as it asks for.");
  for (const auto& [key, counts] : metrics.requests()) {
    std::string_view name = wire::find_api(static_cast<int16_t>(key))->name;
    uint64_t below = 0;
    for (size_t i = 0; i < counts.by_time.size(); i++) {
      below += counts.by_time[i];
      bool last = i == RequestCounts::kBounds.size();
      std::string bound = last ? "+Inf" : fmt::format("{}", seconds_of(RequestCounts::kBounds[i]));
      out.sample({{"request", name}, {"le", bound}}, below, "_bucket");
    }
    out.sample({{"request", name}}, seconds_of(counts.total_micros), "_sum");
    out.sample({{"request", name}}, counts.count, "_count");
  }
}

void put_requests(PrometheusText& out, const Metrics& metrics) {
  struct Family {
    std::string_view name;
    std::string_view help;
    uint64_t RequestCounts::* value;
  };
  static constexpr Family kFamilies[] = {
      {"kafka_network_requestmetrics_requests_total", "Requests.", &RequestCounts::count},
      {"moldau_requests_closed_total", "Those whose connection was ended instead of an answer.",
       &RequestCounts::closed},
      {"moldau_request_bytes_total", "Bytes of requests.", &RequestCounts::bytes_in},
      {"moldau_response_bytes_total", "Bytes of answers.", &RequestCounts::bytes_out}};
  for (const Family& family : kFamilies) {
    out.family(family.name, "counter", family.help);
    for (const auto& [key, counts] : metrics.requests())
      out.sample({{"request", wire::find_api(static_cast<int16_t>(key))->name}},
                 counts.*family.value);
  }
  put_request_times(out, metrics);
  out.family("kafka_server_socket_server_metrics_connection_count", "gauge",
             "Clients' connections.");
  out.sample({}, metrics.connections());
  out.family("kafka_server_socket_server_metrics_connection_creation_total", "counter",
             "Connections that were accepted.");
  out.sample({}, metrics.connections_opened());
}

void put_sessions(PrometheusText& out, const FetchSessions& sessions) {
  out.family("kafka_server_fetchsessioncache_numincrementalfetchsessions", "gauge",
             "Fetch sessions.");
  out.sample({}, sessions.size());
  out.family("kafka_server_fetchsessioncache_numincrementalfetchpartitionscached", "gauge",
             "Partitions in them.");
  out.sample({}, sessions.partitions());
  out.family("kafka_server_fetchsessioncache_incrementalfetchsessionevictions_total", "counter",
             "Sessions that gave way to others.");
  out.sample({}, sessions.evictions());
}

// A partition of the catalog, and the open one if there is one.
struct Row {
  const Topic* topic = nullptr;
  int32_t index = 0;
  std::string number;
  Partitions::Ref open;
};

std::vector<Row> rows_of(const Node& node, const Topics& topics) {
  std::vector<Row> rows;
  for (const Topic& topic : topics.all())
    for (int32_t i = 0; i < topic.partitions; i++)
      rows.push_back({&topic, i, fmt::format("{}", i), node.partitions.find(topic.name, i)});
  return rows;
}

template <class Value>
void put_each(PrometheusText& out, const std::vector<Row>& rows, Value value) {
  for (const Row& row : rows)
    if (row.open)
      out.sample({{"topic", row.topic->name}, {"partition", row.number}}, value(*row.open));
}

void put_partitions(PrometheusText& out, const std::vector<Row>& rows) {
  using replica::Partition;
  out.family("kafka_log_log_size", "gauge", "Bytes of the partition's segments.");
  put_each(out, rows, [](const Partition& p) { return p.log().size_bytes(); });
  out.family("kafka_log_log_logstartoffset", "gauge", "Where the log begins.");
  put_each(out, rows, [](const Partition& p) { return p.watermarks().log_start.value; });
  out.family("kafka_log_log_logendoffset", "gauge", "Where it ends.");
  put_each(out, rows, [](const Partition& p) { return p.watermarks().log_end.value; });
  out.family("kafka_topic_partition_current_offset", "gauge", "What consumers may read up to.");
  put_each(out, rows, [](const Partition& p) { return p.watermarks().high_watermark.value; });
  out.family("kafka_topic_partition_oldest_offset", "gauge", "And from where on.");
  put_each(out, rows, [](const Partition& p) { return p.watermarks().log_start.value; });
}

void put_leaders(PrometheusText& out, const std::vector<Row>& rows, int32_t self) {
  struct Family {
    std::string_view name;
    std::string_view help;
    int64_t online;
    int64_t offline;
  };
  const Family families[] = {
      {"kafka_topic_partition_leader", "The broker that leads it; -1: none.", self, -1},
      {"kafka_topic_partition_replicas", "Copies that there should be.", 1, 1},
      {"kafka_topic_partition_in_sync_replica", "Copies that have everything.", 1, 0},
      {"kafka_topic_partition_under_replicated_partition", "1: copies are missing.", 0, 1},
      {"kafka_topic_partition_leader_is_preferred", "1: the preferred broker leads it.", 1, 0}};
  for (const Family& family : families) {
    out.family(family.name, "gauge", family.help);
    for (const Row& row : rows)
      out.sample({{"topic", row.topic->name}, {"partition", row.number}},
                 row.open ? family.online : family.offline);
  }
}

void gauge(PrometheusText& out, std::string_view name, std::string_view help, int64_t value) {
  out.family(name, "gauge", help);
  out.sample({}, value);
}

void put_broker(PrometheusText& out, const Node& node, const Topics& topics,
                const std::vector<Row>& rows) {
  auto all = static_cast<int64_t>(rows.size());
  int64_t online = std::ranges::count_if(rows, [](const Row& row) { return bool(row.open); });
  int64_t offline_dirs = 0;
  for (const log::LogDirs::Place& place : node.partitions.dirs().places())
    offline_dirs += !place.dir || place.dir->offline();
  auto topic_count = static_cast<int64_t>(topics.all().size());
  gauge(out, "kafka_server_replicamanager_partitioncount", "Partitions here.", all);
  gauge(out, "kafka_server_replicamanager_leadercount", "Partitions that are led here.", online);
  gauge(out, "kafka_server_replicamanager_offlinereplicacount", "Copies on disks that failed.",
        all - online);
  gauge(out, "kafka_server_replicamanager_underreplicatedpartitions",
        "Partitions led here that lack copies.", 0);
  gauge(out, "kafka_controller_kafkacontroller_activecontrollercount", "1: it is here.", 1);
  gauge(out, "kafka_controller_kafkacontroller_globaltopiccount", "Topics.", topic_count);
  gauge(out, "kafka_controller_kafkacontroller_globalpartitioncount", "Partitions.", all);
  gauge(out, "kafka_controller_kafkacontroller_offlinepartitionscount",
        "Partitions without a leader.", all - online);
  gauge(out, "kafka_log_logmanager_offlinelogdirectorycount", "Data directories that failed.",
        offline_dirs);
  gauge(out, "kafka_server_kafkaserver_brokerstate", "3: it serves.", 3);
  gauge(out, "kafka_brokers", "Brokers of the cluster.", 1);
  out.family("kafka_broker_info", "gauge", "A broker of the cluster.");
  std::string address = fmt::format("{}:{}", node.advertised_host(), node.advertised_port());
  std::string id = fmt::format("{}", node.config.node_id.value);
  out.sample({{"address", address}, {"id", id}}, 1);
  out.family("kafka_topic_partitions", "gauge", "Partitions of a topic.");
  for (const Topic& topic : topics.all()) out.sample({{"topic", topic.name}}, topic.partitions);
}

// What a group has committed of a partition, and how far behind its end that is.
struct GroupRow {
  std::string group;
  std::string topic;
  std::string partition;
  int64_t offset = 0;
  int64_t lag = 0;
};
struct Groups {
  std::vector<std::pair<std::string, size_t>> members;
  std::vector<GroupRow> rows;
};

void add_offsets(const Node& node, const std::string& group,
                 const coordinator::group::TopicOffsets& offsets, Groups& out) {
  for (const auto& [topic, partitions] : offsets) {
    for (const auto& [index, stored] : partitions) {
      Partitions::Ref open = node.partitions.find(topic, index);
      if (!open) continue;
      int64_t end = open->watermarks().high_watermark.value;
      out.rows.push_back({group, topic, fmt::format("{}", index), stored.offset,
                          std::max<int64_t>(end - stored.offset, 0)});
    }
  }
}

Task<Groups> groups_of(Node& node) {
  Groups out;
  coordinator::Driver::Listed listed = co_await node.groups.list();
  for (const auto& one : listed.groups) {
    std::string name = one.id;
    coordinator::Driver::View view = co_await node.groups.view(name);
    const coordinator::group::Kept* kept = view.core ? view.core->state().find(name) : nullptr;
    if (!kept) continue;
    out.members.emplace_back(name, kept->group ? kept->group->members.size() : 0);
    add_offsets(node, name, kept->offsets, out);
  }
  co_return out;
}

void put_groups(PrometheusText& out, const Groups& groups) {
  out.family("kafka_consumergroup_members", "gauge", "Members of a group.");
  for (const auto& [group, members] : groups.members)
    out.sample({{"consumergroup", group}}, members);
  out.family("kafka_consumergroup_current_offset", "gauge", "What a group has committed.");
  for (const GroupRow& row : groups.rows)
    out.sample({{"consumergroup", row.group}, {"topic", row.topic}, {"partition", row.partition}},
               row.offset);
  out.family("kafka_consumergroup_lag", "gauge", "Offsets from there to the partition's end.");
  for (const GroupRow& row : groups.rows)
    out.sample({{"consumergroup", row.group}, {"topic", row.topic}, {"partition", row.partition}},
               row.lag);
}

}  // namespace

Task<std::string> metrics_page(Node& node) {
  Groups groups = co_await groups_of(node);
  std::shared_ptr<const Topics> topics = node.catalog.topics();
  std::vector<Row> rows = rows_of(node, *topics);
  PrometheusText out;
  put_broker(out, node, *topics, rows);
  node.services.metrics.enter([&](const Metrics& metrics) {
    put_traffic(out, metrics);
    put_requests(out, metrics);
  });
  node.services.fetch_sessions.enter([&](const FetchSessions& all) { put_sessions(out, all); });
  put_partitions(out, rows);
  put_leaders(out, rows, node.config.node_id.value);
  put_groups(out, groups);
  co_return out.take();
}

}  // namespace moldau::broker
