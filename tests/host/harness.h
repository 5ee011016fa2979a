// What the conformance suite needs of a world. The same tests run against the real one and the
// simulated one: that is what keeps the simulator honest.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/address.h"
#include "host/env.h"
#include "host/task.h"

namespace moldau::host {

class Harness {
 public:
  virtual ~Harness() = default;
  // The server's side and the client's side. In the real world they may be one.
  virtual Env& server() = 0;
  virtual Env& client() = 0;
  virtual IpAddress server_ip() = 0;    // where client() reaches a listener of server()
  virtual std::string directory() = 0;  // empty, on server()'s disk, gone with the harness
  // Runs the loop(s) until the task has ended. The task runs on server()'s loop.
  virtual void run(Task<void> test) = 0;
  // Takes away what has not been synced and starts server() anew: its tasks are gone, its directory
  // is what a power loss left. False if this world cannot.
  virtual bool lose_power() = 0;
};

struct World {
  std::string name;
  std::function<std::unique_ptr<Harness>()> make;
};
// Each world's harness stands in its own file.
World posix_world();
World simulated_world();

}  // namespace moldau::host
