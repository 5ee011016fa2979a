// File: an open file. Writes and reads of what is in memory happen at once; what may block goes to
// a helper thread.
#pragma once
#include <memory>
#include <string>

#include "host/disk.h"
#include "host/posix/descriptor.h"
#include "host/posix/helpers.h"

namespace moldau::host::posix {

class File final : public host::File {
 public:
  File(Reactor& reactor, Helpers& helpers, int fd, std::string path);

  int64_t size() const override;
  const std::string& path() const override { return path_; }
  bool start(FileOp& op) override;

  // Shared: a Stream that sends from the file keeps it open.
  const std::shared_ptr<const Descriptor>& descriptor() const { return fd_; }
  // Both ends of the range are in memory: very likely all of it is.
  bool in_memory(int64_t position, size_t length) const override;
  // Reads the range into the system's memory; blocks.
  static void warm(const Descriptor& fd, int64_t position, size_t length);

 private:
  bool read(FileOp& op);
  bool write(FileOp& op);
  bool finish_at_once(FileOp& op, size_t bytes);
  bool hand_over(FileOp& op, void (*work)(void*, Op&));

  enum class Peek : uint8_t {
    yes,
    no,
    always_warm
  };  // whether the file system can say "not in memory"
  static constexpr size_t kMostAtOnce = 4 << 20;  // a larger write goes to a helper
  Reactor& reactor_;
  Helpers& helpers_;
  const std::shared_ptr<const Descriptor> fd_;
  const std::string path_;
  mutable Peek peek_ = Peek::yes;
};

}  // namespace moldau::host::posix
