// DescribeCluster: this node, which is all of the cluster and its controller. The controller's own
// endpoint is not there yet.
#include <fmt/format.h>

#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "wire/messages/describe_cluster.h"

namespace moldau::broker {

using wire::DescribeClusterResponse;
using wire::ErrorCode;

namespace {

constexpr int8_t kBrokers = 1, kControllers = 2;
constexpr int32_t kClusterOperations = 8096;  // all that Kafka knows, by its numbers as bits

}  // namespace

Answer describe_cluster(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::DescribeClusterRequest>(request->body, request->version,
                                                          request->arena));
  DescribeClusterResponse answer;
  if (body.endpoint_type == kControllers) {
    answer.error_code = code(ErrorCode::mismatched_endpoint_type);
    answer.error_message =
        "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type "
        "CONTROLLER";
    co_return reply(*request, answer);
  }
  if (body.endpoint_type != kBrokers) {
    answer.error_code = code(ErrorCode::unsupported_endpoint_type);
    answer.error_message =
        request->arena.copy(fmt::format("Unsupported endpoint type {}", body.endpoint_type));
    co_return reply(*request, answer);
  }
  std::string host = node.advertised_host();
  DescribeClusterResponse::DescribeClusterBroker self{
      .broker_id = node.config.node_id.value, .host = host, .port = node.advertised_port()};
  answer.cluster_id = node.cluster_id;
  answer.controller_id = self.broker_id;
  answer.brokers = std::span(&self, 1);
  if (body.include_cluster_authorized_operations)
    answer.cluster_authorized_operations = kClusterOperations;
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
