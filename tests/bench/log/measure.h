// The parts of log_bench: each measures one thing and prints it.
#pragma once
#include <memory>
#include <string>
#include <thread>

#include "host/posix/system.h"
#include "host/task.h"

namespace moldau::bench {

// A folder of our own, removed at the end.
class Folder {
 public:
  explicit Folder(const std::string& parent);  // empty: TMPDIR or /tmp
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  const std::string& path() const { return path_; }
  // A fresh directory in it.
  std::string sub(const std::string& name) const;

 private:
  std::string path_;
};

struct Raw {  // bytes a nanosecond are GB/s
  double write = 0;
  double write_sync = 0;  // with one fdatasync a MiB
  double crc = 0;
  double read = 0;
  double sendfile = 0;
};

// Seconds that went by since a moment; processor seconds of this process.
struct Watch {
  Watch();
  double wall() const;
  double cpu() const;

 private:
  double wall_began_;
  double cpu_began_;
};

// A connection of this machine to itself whose other end throws everything away.
class SendTarget {
 public:
  SendTarget();
  SendTarget(const SendTarget&) = delete;
  SendTarget& operator=(const SendTarget&) = delete;
  ~SendTarget();
  void send(int file, int64_t position, size_t length);

 private:
  int out_;
  std::thread drain_;
};

// Runs the task on a real loop. Stops the process if that fails.
void run(host::posix::System& system, host::Task<void> task);
std::unique_ptr<host::posix::System> make_system();
[[noreturn]] void give_up(const std::string& why);

Raw measure_raw(const Folder& folder);
void measure_appends(const Folder& folder, const Raw& raw);
void measure_reads(const Folder& folder, const Raw& raw);
void measure_open(const Folder& folder, int partitions);

}  // namespace moldau::bench
