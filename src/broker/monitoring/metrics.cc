#include "broker/monitoring/metrics.h"

#include <algorithm>

namespace moldau::broker {

TopicTraffic& TopicTraffic::operator+=(const TopicTraffic& o) {
  bytes_in += o.bytes_in;
  bytes_out += o.bytes_out;
  records_in += o.records_in;
  produce_requests += o.produce_requests;
  fetch_requests += o.fetch_requests;
  failed_produce += o.failed_produce;
  failed_fetch += o.failed_fetch;
  return *this;
}

void Metrics::handled(const Handled& request) {
  RequestCounts& counts = requests_[request.key];
  int64_t micros = request.took.nanos / 1000;
  counts.count++;
  counts.closed += request.closed;
  counts.bytes_in += request.bytes_in;
  counts.bytes_out += request.bytes_out;
  counts.total_micros += micros;
  auto bound = std::ranges::lower_bound(RequestCounts::kBounds, micros);
  counts.by_time[static_cast<size_t>(bound - RequestCounts::kBounds.begin())]++;
}

TopicTraffic& Metrics::of(std::string_view topic) {
  auto found = topics_.find(topic);
  if (found == topics_.end()) found = topics_.emplace(std::string(topic), TopicTraffic()).first;
  return found->second;
}

void Metrics::produced(std::string_view topic, size_t bytes, int32_t records) {
  TopicTraffic& traffic = of(topic);
  traffic.produce_requests++;
  traffic.bytes_in += bytes;
  traffic.records_in += static_cast<uint64_t>(records);
}

void Metrics::produce_failed(std::string_view topic) {
  TopicTraffic& traffic = of(topic);
  traffic.produce_requests++;
  traffic.failed_produce++;
}

void Metrics::fetched(std::string_view topic, size_t bytes) {
  TopicTraffic& traffic = of(topic);
  traffic.fetch_requests++;
  traffic.bytes_out += bytes;
}

void Metrics::fetch_failed(std::string_view topic) {
  TopicTraffic& traffic = of(topic);
  traffic.fetch_requests++;
  traffic.failed_fetch++;
}

void Metrics::forget_topic(std::string_view topic) {
  auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  gone_ += found->second;
  topics_.erase(found);
}

TopicTraffic Metrics::total() const {
  TopicTraffic sum = gone_;
  for (const auto& [name, traffic] : topics_) sum += traffic;
  return sum;
}

}  // namespace moldau::broker
