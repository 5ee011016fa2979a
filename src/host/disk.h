// The disk as a program may see it. What survives a power loss is stated per operation; the
// simulator's disk takes everything else away. Errors: not_found, already_exists, permission,
// no_space, exhausted (out of descriptors), io, invalid, busy, cancelled.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "host/await.h"
#include "host/op.h"

namespace moldau::host {

class File;

struct FileOp : Op {
  enum class Kind : uint8_t { read, write, sync, truncate, drop_cache };
  Kind kind{};
  MutableBytes into;             // read
  std::span<const Bytes> parts;  // write
  int64_t position = 0;          // read, write: where; truncate: the new size
};
struct FileCountOp : FileOp {
  Result<size_t> take() const { return take_count(); }
};
struct FileVoidOp : FileOp {
  Result<void> take() const { return take_void(); }
};

// An open file. It outlives its operations; several may be under way at once. A file that is
// removed stays readable while it is open.
class File {
 public:
  virtual ~File();
  // Fills into as far as the file goes: less than asked only at its end, 0 at or behind it.
  auto read_at(MutableBytes into, int64_t position) {
    return Await<FileCountOp, File>(*this, [=](FileOp& op) {
      op.kind = FileOp::Kind::read;
      op.into = into;
      op.position = position;
    });
  }
  // Writes all parts, one after the other, or fails; after a failure any part of them may be there.
  // Survives the death of the process once it returns, a power loss only after sync.
  auto write_at(std::span<const Bytes> parts, int64_t position) {
    return Await<FileCountOp, File>(*this, [=](FileOp& op) {
      op.kind = FileOp::Kind::write;
      op.parts = parts;
      op.position = position;
    });
  }
  // All writes and truncates that had returned when it was called survive a power loss. After a
  // failure nothing that was not synced before can be trusted, whatever a later sync says.
  auto sync() {
    return Await<FileVoidOp, File>(*this, [](FileOp& op) { op.kind = FileOp::Kind::sync; });
  }
  // Forgets what the system caches of the file, as far as it is synced: later reads show what is on
  // the medium. After a sync of another process's leftovers this tells what really survived, also
  // where a failed sync left pages that look written and are not (PostgreSQL's fsyncgate).
  auto drop_cache() {
    return Await<FileVoidOp, File>(*this, [](FileOp& op) { op.kind = FileOp::Kind::drop_cache; });
  }
  // Shorter: cuts. Longer: zeros. Survives a power loss only after sync.
  auto truncate(int64_t size) {
    return Await<FileVoidOp, File>(*this, [=](FileOp& op) {
      op.kind = FileOp::Kind::truncate;
      op.position = size;
    });
  }
  virtual int64_t size() const = 0;  // as this process has written it; does not wait
  // A hint: what stands there can be had without the medium, as it looks now. Does not wait.
  virtual bool in_memory(int64_t position, size_t length) const = 0;
  virtual const std::string& path() const = 0;
  virtual bool start(FileOp& op) = 0;
};

enum class OpenMode : uint8_t {
  read,
  read_write,
  create,
  create_new
};  // create: read_write, made if missing

struct DirEntry {
  std::string name;
  bool directory = false;
  int64_t size = 0;  // of a file
};
struct Space {
  int64_t free = 0;  // bytes that we may still write
  int64_t total = 0;
};

struct DiskOp : Op {
  enum class Kind : uint8_t {
    open,
    rename,
    remove,
    make_directory,
    list,
    sync_directory,
    space,
    lock
  };
  Kind kind{};
  OpenMode mode{};
  std::string path;
  std::string to;                 // rename
  std::unique_ptr<File> file;     // open, lock
  std::vector<DirEntry> entries;  // list
  Space space_found;
};
struct DiskVoidOp : DiskOp {
  Result<void> take() const;
};
struct DiskFileOp : DiskOp {
  Result<std::unique_ptr<File>> take();
};
struct DiskListOp : DiskOp {
  Result<std::vector<DirEntry>> take();
};
struct DiskSpaceOp : DiskOp {
  Result<Space> take() const;
};

class Disk {
  template <class Operation>
  auto path_op(DiskOp::Kind kind, std::string& path, OpenMode mode = OpenMode::read) {
    return Await<Operation, Disk>(*this, [&path, kind, mode](DiskOp& op) {
      op.kind = kind;
      op.mode = mode;
      op.path = std::move(path);
    });
  }

 public:
  virtual ~Disk();
  // A created file's name survives a power loss only after sync_directory of its directory.
  auto open(std::string path, OpenMode mode) {
    return path_op<DiskFileOp>(DiskOp::Kind::open, path, mode);
  }
  // Replaces `to` if it exists, at once: a reader finds the old or the new. Survives a power loss
  // only after sync_directory (of both directories).
  auto rename(std::string from, std::string to) {
    return Await<DiskVoidOp, Disk>(*this, [&](DiskOp& op) {
      op.kind = DiskOp::Kind::rename;
      op.path = std::move(from);
      op.to = std::move(to);
    });
  }
  // A file or an empty directory (one that is not empty: invalid). The same about power loss.
  auto remove(std::string path) { return path_op<DiskVoidOp>(DiskOp::Kind::remove, path); }
  // With its parents; no error if it is there.
  auto make_directory(std::string path) {
    return path_op<DiskVoidOp>(DiskOp::Kind::make_directory, path);
  }
  // Sorted by name; without . and ..
  auto list(std::string path) { return path_op<DiskListOp>(DiskOp::Kind::list, path); }
  // Names made, removed and renamed in it so far survive a power loss.
  auto sync_directory(std::string path) {
    return path_op<DiskVoidOp>(DiskOp::Kind::sync_directory, path);
  }
  auto space(std::string path) { return path_op<DiskSpaceOp>(DiskOp::Kind::space, path); }
  // Makes the file if missing and holds an advisory lock while the File lives; busy if another
  // process holds it.
  auto lock(std::string path) { return path_op<DiskFileOp>(DiskOp::Kind::lock, path); }
  virtual bool start(DiskOp& op) = 0;
};

}  // namespace moldau::host
