#include "host/posix/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "host/posix/errors.h"
#include "host/posix/file.h"

namespace moldau::host::posix {
namespace {

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::read_write:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT;
    case OpenMode::create_new:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

// A descriptor of a plain file, or -1 and errno.
int open_file(const std::string& path, int flags) {
  int fd;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  while (fd < 0 && errno == EINTR);
  struct stat s{};
  if (fd < 0 || ::fstat(fd, &s) != 0 || !S_ISDIR(s.st_mode)) return fd;
  ::close(fd);
  errno = EISDIR;
  return -1;
}

bool finish(DiskOp& op, int outcome) { return outcome ? fail_with(op, errno) : op.succeed(); }

// One that is there counts as made.
int make_one(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return 0;
  if (errno != EEXIST) return -1;
  struct stat s{};
  if (::stat(path.c_str(), &s) == 0 && S_ISDIR(s.st_mode)) return 0;
  errno = EEXIST;
  return -1;
}

bool make_path(DiskOp& op) {
  if (make_one(op.path) == 0) return op.succeed();
  if (errno != ENOENT) return fail_with(op, errno);
  for (size_t slash = op.path.find('/', 1); slash != std::string::npos;
       slash = op.path.find('/', slash + 1))
    if (make_one(op.path.substr(0, slash))) return fail_with(op, errno);
  return finish(op, make_one(op.path));
}

bool list_names(DiskOp& op) {
  DIR* directory = ::opendir(op.path.c_str());
  if (!directory) return fail_with(op, errno);
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    std::string_view name = entry->d_name;
    struct stat s{};
    // What disappears while we look is not there.
    bool there = ::fstatat(::dirfd(directory), entry->d_name, &s, 0) == 0;
    if (there && name != "." && name != "..") {
      bool folder = S_ISDIR(s.st_mode);
      op.entries.push_back(
          {.name = std::string(name), .directory = folder, .size = folder ? 0 : s.st_size});
    }
    errno = 0;
  }
  int error = errno;
  ::closedir(directory);
  if (error) return fail_with(op, error);
  std::ranges::sort(op.entries, {}, &DirEntry::name);
  return op.succeed();
}

bool sync_names(DiskOp& op) {
  Descriptor directory(::open(op.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail_with(op, errno);
  // Some file systems know no fsync of directories (EINVAL): theirs are always written at once.
  if (::fsync(directory.get()) && errno != EINVAL) return fail_with(op, errno);
  return op.succeed();
}

bool measure_space(DiskOp& op) {
  struct statvfs s{};
  if (::statvfs(op.path.c_str(), &s)) return fail_with(op, errno);
  auto bytes = [&](fsblkcnt_t blocks) { return static_cast<int64_t>(blocks * s.f_frsize); };
  op.space_found = {.free = bytes(s.f_bavail), .total = bytes(s.f_blocks)};
  return op.succeed();
}

// The lock belongs to the open file, and it is the kind that Java's FileLock takes: Apache Kafka
// and Moldau refuse each other's directories.
int lock_file(int fd) {
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(fd, F_OFD_SETLK, &whole) == 0) return 0;
  if (errno == EACCES) errno = EAGAIN;
  return errno == EINVAL ? ::flock(fd, LOCK_EX | LOCK_NB) : -1;
}

}  // namespace

bool Disk::start(DiskOp& op) {
  if (op.kind == DiskOp::Kind::open) return open(op);
  helpers_.submit({.work = &Disk::work, .target = this, .op = &op, .home = &reactor_});
  return false;
}

void Disk::work(void* disk, Op& base) {
  auto& op = static_cast<DiskOp&>(base);
  switch (op.kind) {
    case DiskOp::Kind::open:
      break;  // done at once
    case DiskOp::Kind::rename:
      finish(op, ::rename(op.path.c_str(), op.to.c_str()));
      break;
    case DiskOp::Kind::remove:
      finish(op, ::remove(op.path.c_str()));
      break;
    case DiskOp::Kind::make_directory:
      make_path(op);
      break;
    case DiskOp::Kind::list:
      list_names(op);
      break;
    case DiskOp::Kind::sync_directory:
      sync_names(op);
      break;
    case DiskOp::Kind::space:
      measure_space(op);
      break;
    case DiskOp::Kind::lock:
      static_cast<Disk*>(disk)->lock(op);
      break;
  }
}

bool Disk::open(DiskOp& op) {
  int fd = open_file(op.path, flags_of(op.mode));
  if (fd < 0) return fail_with(op, errno);
  op.file = std::make_unique<File>(reactor_, helpers_, fd, op.path);
  return op.succeed();
}

bool Disk::lock(DiskOp& op) {
  Descriptor fd(open_file(op.path, O_RDWR | O_CREAT));
  if (!fd || lock_file(fd.get())) return fail_with(op, errno);
  op.file = std::make_unique<File>(reactor_, helpers_, fd.release(), op.path);
  return op.succeed();
}

}  // namespace moldau::host::posix
