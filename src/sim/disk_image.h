// What is on a simulated disk, twice: as the running system sees it, and as it would be after a
// power loss; between them the operations that no sync has confirmed yet. No time, no errors: those
// are sim/disk.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "host/disk.h"
#include "sim/content.h"
#include "sim/options.h"

namespace moldau::sim {

using InodeId = uint64_t;  // 0: none

class DiskImage {
 public:
  explicit DiskImage(const DiskOptions& options);

  // Names. The paths are separated by '/'; a leading one makes no difference.
  Result<InodeId> find(std::string_view path) const;
  Result<InodeId> open(std::string_view path,
                       host::OpenMode mode);  // of a file; makes it as mode says
  Result<void> rename(std::string_view from, std::string_view to);
  Result<void> remove(std::string_view path);
  Result<void> make_directory(std::string_view path);
  Result<std::vector<host::DirEntry>> list(std::string_view path) const;
  Result<void> sync_directory(std::string_view path);
  // A file that is held stays readable when its name is gone.
  void hold(InodeId id) { inodes_.at(id)->references++; }
  void drop(InodeId id) { unreference(id); }

  // Contents. Damage (flips) shows in what read returns, as long as the overlay is on.
  int64_t size(InodeId id) const { return inodes_.at(id)->now.size(); }
  size_t read(InodeId id, int64_t position, MutableBytes out) const;
  void write(InodeId id, int64_t position, Bytes bytes);
  void truncate(InodeId id, int64_t size);
  // Operations so far: what sync confirms if it is called now and succeeds later.
  uint64_t mark() const { return next_operation_; }
  void sync(InodeId id, uint64_t mark);
  // The pages become clean, but each operation has reached the disk or not; no later sync tries
  // again.
  void sync_failed(InodeId id, uint64_t mark, Random& random);

  // Reads show what is durable again, if nothing waits for a sync.
  void drop_cache(InodeId id);

  // Everything that was not synced happened, did not happen, or happened in part.
  void power_loss(Random& random);

  // One bit of a random file, at rest. False: there is no byte that could be damaged.
  bool flip_bit(Random& random, std::string_view path_part);
  void show_damage(bool on) { damage_shown_ = on; }
  bool damaged(InodeId id) const { return !inodes_.at(id)->flips.empty(); }
  uint64_t flips() const { return flips_; }  // made so far

  // For checkers and tests: whole files, as the system sees them and as a sure power loss would
  // leave them.
  Result<std::vector<uint8_t>> contents(std::string_view path) const;
  Result<std::vector<uint8_t>> durable_contents(std::string_view path) const;
  int64_t used() const;  // bytes of all files that have a name

 private:
  struct Operation {
    uint64_t number;
    bool truncate;
    int64_t position;
    std::vector<uint8_t> bytes;
  };
  struct Flip {
    int64_t position;
    uint8_t mask;
  };
  using Entries = std::map<std::string, InodeId, std::less<>>;
  struct Inode {
    bool directory = false;
    uint32_t references = 0;  // names in either layer, pending changes, handles
    Content now;
    Content durable;
    std::vector<Operation> pending;
    bool ahead = false;  // a failed sync has left bytes in `now` that are not in `durable`
    std::vector<Flip> flips;
    Entries entries;
    Entries durable_entries;
  };
  // One name of one directory now means target (0: nothing).
  struct Change {
    InodeId directory = 0;
    std::string name;
    InodeId target = 0;
    bool done = false;  // durable
  };
  // A rename is two changes that a power loss does not tear apart.
  struct NameOperation {
    std::vector<Change> changes;
  };
  struct Place {
    InodeId directory;
    std::string_view name;
    InodeId target;  // 0: the directory exists, the name does not
  };

  Result<Place> locate(std::string_view path) const;
  InodeId make_inode(bool directory);
  void set(Entries& entries, const std::string& name, InodeId target);
  void record(std::vector<Change> changes);
  void apply_durable(Change& change);
  void forget_done();
  void unreference(InodeId id);
  void confirm(Inode& inode, const Operation& operation);
  void tear(Inode& inode, const Operation& operation, Random& random);
  void lose_contents(Inode& inode, Random& random);
  void lose_names(Random& random);
  static const Entries& layer(const Inode& inode, bool durable);
  Result<std::vector<uint8_t>> whole(std::string_view path, bool durable) const;

  const DiskOptions options_;
  std::map<InodeId, std::unique_ptr<Inode>> inodes_;
  InodeId next_inode_ = 1;
  InodeId root_;
  uint64_t next_operation_ = 1;
  std::vector<NameOperation> name_operations_;  // not durable yet, oldest first
  bool damage_shown_ = true;
  uint64_t flips_ = 0;
};

}  // namespace moldau::sim
