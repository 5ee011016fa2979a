// The disk of a simulated node: a DiskImage that takes time and can fail. Each operation has a
// number, counted over the node's whole life, so that "operation 4711 fails" means the same in each
// run of a seed.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "host/disk.h"
#include "sim/disk_image.h"
#include "sim/loop.h"
#include "sim/node.h"

namespace moldau::sim {

enum DiskCalls : uint32_t {
  kDiskRead = 1,
  kDiskWrite = 2,  // and truncate
  kDiskSync = 4,   // of a file
  kDiskName = 8,   // open, rename, remove, list, directories
  kDiskAll = 15,
};

// While it lasts, calls fail with `code` by chance.
struct DiskTrouble {
  uint32_t calls = kDiskAll;
  std::string path_part;  // only files whose path contains it
  uint64_t one_in = 1;
  bool sticky = false;  // once it has failed, a path fails for as long as the trouble lasts
  bool flips = false;   // reads succeed with one bit wrong instead
  Errc code = Errc::io;
};

class SimFile;

class Disk {
 public:
  Disk(World& world, uint32_t node);
  ~Disk();
  std::unique_ptr<host::Disk> facade(SimLoop& loop);

  // Faults.
  uint64_t add_trouble(DiskTrouble trouble, Random stream);
  void remove_trouble(uint64_t id) { troubles_.erase(id); }
  void fail_operation(uint64_t number, Errc code = Errc::io) { failing_[number] = code; }
  void slow_down(int64_t by) { slowness_ += by; }
  void set_quota(int64_t bytes) { quota_ = bytes; }
  int64_t quota() const { return quota_; }
  DiskImage& image() { return image_; }
  uint64_t operations() const { return operations_; }
  uint64_t power_losses() const { return power_losses_; }
  // From the operation with this number on nothing is done any more; then() is called once, inside
  // the task that began it. Whatever was under way is as at a crash, which is what should follow.
  void stop_at(uint64_t number, std::function<void()> then);

  void on_crash(Crash kind);
  // Bits that reads have shown wrong so far, and bits at rest that became wrong.
  uint64_t flips() const { return read_flips_ + image_.flips(); }
  static Result<size_t> read_for_send(const host::File& file, MutableBytes out, int64_t position);

  // For the facades.
  bool start(host::FileOp& op, SimFile& file);
  bool start(host::DiskOp& op, SimLoop& loop);
  void unlock(const std::string& path) { locked_.erase(path); }

 private:
  struct Trouble {
    DiskTrouble what;
    Random random;
    std::set<std::string> stuck;  // paths that have failed once, if sticky
  };
  struct UnderWay {
    host::FileOp* file_op = nullptr;
    host::DiskOp* disk_op = nullptr;
    SimFile* file = nullptr;
    SimLoop* loop = nullptr;
    bool fails = false;
    bool flips = false;
    Errc code = Errc::io;
    uint64_t mark = 0;  // sync: of the image when it was called
  };
  static void on_done(void* self, uint64_t slot);
  void judge(UnderWay& call, uint32_t kind, const std::string& path);
  int64_t duration(const Duration& typical);
  bool begin(UnderWay call, const Duration& typical, bool may_be_quick);
  void narrate(const UnderWay& call) const;
  void perform(UnderWay& call);
  void perform_file(UnderWay& call);
  void perform_read(UnderWay& call);
  void perform_write(UnderWay& call);
  void perform_name(UnderWay& call);
  void finish_name(UnderWay& call, const Result<void>& result);
  void open_file(UnderWay& call, host::OpenMode mode, bool locks);
  void write_parts(const host::FileOp& op, InodeId id, uint64_t at_most);

  World& world_;
  const DiskOptions& options_;
  Random times_;
  Random losses_;
  DiskImage image_;
  uint64_t operations_ = 0;
  uint64_t power_losses_ = 0;
  uint64_t read_flips_ = 0;
  uint64_t stop_at_ = 0;  // 0: never
  std::function<void()> stopped_;
  std::map<uint64_t, Trouble> troubles_;
  uint64_t next_trouble_ = 1;
  std::map<uint64_t, Errc> failing_;  // by operation number
  int64_t slowness_ = 1;
  int64_t quota_;
  std::vector<UnderWay> under_way_;  // by slot; free ones have neither op
  std::vector<size_t> free_slots_;
  std::set<std::string> locked_;
};

class SimFile final : public host::File {
 public:
  SimFile(Disk& disk, SimLoop& loop, InodeId inode, std::string path, bool writable, bool locks);
  ~SimFile() override;
  int64_t size() const override { return disk.image().size(inode); }
  const std::string& path() const override { return path_; }
  bool in_memory(int64_t position, size_t length) const override;
  bool start(host::FileOp& op) override { return disk.start(op, *this); }

  Disk& disk;
  SimLoop& loop;
  const InodeId inode;
  const bool writable;

 private:
  const std::string path_;
  const bool locks_;
};

}  // namespace moldau::sim
