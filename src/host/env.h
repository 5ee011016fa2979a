// The world of one loop: everything outside that a part of Moldau may touch. Made in main, or by
// the simulator for each node, and passed down.
#pragma once

namespace moldau::host {

class Loop;
struct Clock;
class Network;
class Disk;
struct Entropy;

struct Env {
  Loop& loop;
  Clock& clock;
  Network& network;
  Disk& disk;
  Entropy& entropy;
};

}  // namespace moldau::host
