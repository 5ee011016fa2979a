// Requests and answers of the simulated quorum as bytes and back, in any version that both sides
// could have agreed on.
#pragma once
#include "base/random.h"
#include "raft/messages.h"

namespace moldau::raft::test {

// A version that can say the request; of a quorum with directories: one that has them.
int16_t draw_version(const Request& request, bool directories, Random& random);
Request over_wire(const Request& request, int16_t version);
Response over_wire(const Response& response, int16_t version);

}  // namespace moldau::raft::test
