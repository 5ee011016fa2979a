// DescribeQuorum: who leads the metadata log, who votes, who watches, and how far each of them is.
#include "broker/api/handlers.h"
#include "broker/kraft.h"
#include "broker/node.h"
#include "host/clock.h"
#include "raft/describe.h"

namespace moldau::broker {

Answer describe_quorum(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::DescribeQuorumRequest>(request->body, request->version,
                                                         request->arena));
  raft::Now now{node.env.loop.now(), node.env.clock.wall()};
  auto answer =
      raft::describe_quorum(node.kraft.raft().core(), now, body, request->version, request->arena);
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
