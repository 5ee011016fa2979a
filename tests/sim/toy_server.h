// A log server small enough to see through: append, group commit, fetch that waits. It lives in the
// simulator to prove the simulator before there is a broker: each of its planted mistakes must be
// found.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "host/disk.h"
#include "host/env.h"
#include "host/event.h"
#include "host/scope.h"
#include "toy_wire.h"

namespace moldau::toy {

// The whole process: recovers, listens, serves until its disk fails, then calls exit. env outlives
// it.
host::Task<void> serve(host::Env& env, std::function<void()> exit);

// Records are [length u32][crc32c u32][payload]. The file is rewritten at each start, so that
// nothing in it stems from pages that a failed sync has left behind.
class Log {
 public:
  explicit Log(host::Env& env)
      : env_(env), appended_(env.loop), written_(env.loop), changed_(env.loop) {}
  host::Task<Result<void>> recover();
  int64_t append(Buffer payload);  // its offset; not durable yet
  host::Task<void> write_pending();
  host::Task<void> sync_written();
  // Until the record is durable, or the disk has failed (false).
  host::Task<bool> durable(int64_t offset);
  // Until there is a record at offset, at most to deadline. Empty: there is none.
  host::Task<Buffer> fetch(int64_t offset, Instant deadline);
  int64_t durable_end() const { return durable_end_; }
  bool broken() const { return broken_; }
  host::Task<void> until_broken();

 private:
  host::Task<Result<void>> read_old();
  host::Task<Result<void>> rewrite();
  size_t keep_whole_records(Bytes file);
  void break_down();

  host::Env& env_;
  std::unique_ptr<host::File> file_;
  std::vector<Buffer> records_;
  Buffer pending_;  // bytes of records that no write has taken yet
  int64_t file_end_ = 0;
  int64_t written_end_ = 0;  // records that have been written
  int64_t durable_end_ = 0;  // records that have been synced
  bool broken_ = false;
  host::Event appended_;
  host::Event written_;
  host::Event changed_;  // durable_end_ or broken_
};

}  // namespace moldau::toy
