#include "host/posix/file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "host/posix/errors.h"
#include "host/posix/parts.h"

namespace moldau::host::posix {
namespace {

int descriptor_of(void* file) { return static_cast<File*>(file)->descriptor()->get(); }

bool write_all(int fd, FileOp& op) {
  Parts parts(op.parts);
  int64_t written = 0;
  while (!parts.done()) {
    std::span<iovec> next = parts.next();
    int64_t at = op.position + written;
    ssize_t n = next.size() == 1  // the system takes one part faster than a list of one
                    ? ::pwrite(fd, next[0].iov_base, next[0].iov_len, at)
                    : ::pwritev(fd, next.data(), static_cast<int>(next.size()), at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail_with(op, n < 0 ? errno : EIO);
    written += n;
    parts.advance(static_cast<size_t>(n));
  }
  return op.succeed(written);
}

// Goes on where op.count says.
void read_rest(void* file, Op& base) {
  auto& op = static_cast<FileOp&>(base);
  while (static_cast<size_t>(op.count) < op.into.size()) {
    MutableBytes rest = op.into.subspan(static_cast<size_t>(op.count));
    ssize_t n = ::pread(descriptor_of(file), rest.data(), rest.size(), op.position + op.count);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      fail_with(op, errno);
      return;
    }
    if (n == 0) break;
    op.count += n;
  }
  op.succeed(op.count);
}

void write_there(void* file, Op& op) { write_all(descriptor_of(file), static_cast<FileOp&>(op)); }

void sync_there(void* file, Op& op) {
  int outcome;
  do outcome = ::fdatasync(descriptor_of(file));
  while (outcome && errno == EINTR);
  outcome ? fail_with(op, errno) : op.succeed();
}

void truncate_there(void* file, Op& op) {
  int outcome;
  do outcome = ::ftruncate(descriptor_of(file), static_cast<FileOp&>(op).position);
  while (outcome && errno == EINTR);
  outcome ? fail_with(op, errno) : op.succeed();
}

// Only pages that are clean go; nobody promises it, but Linux does it for files that no one maps.
void drop_cache_there(void* file, Op& op) {
  int error = ::posix_fadvise(descriptor_of(file), 0, 0, POSIX_FADV_DONTNEED);
  error ? fail_with(op, error) : op.succeed();
}

// A read that does not wait for the disk: -1 with EAGAIN if it would.
ssize_t peek(int fd, MutableBytes into, int64_t position) {
  iovec v{into.data(), into.size()};
  ssize_t n;
  do n = ::preadv2(fd, &v, 1, position, RWF_NOWAIT);
  while (n < 0 && errno == EINTR);
  return n;
}

bool lives_in_memory(int fd) {
  struct statfs s{};
  return ::fstatfs(fd, &s) == 0 && (s.f_type == TMPFS_MAGIC || s.f_type == RAMFS_MAGIC);
}

}  // namespace

File::File(Reactor& reactor, Helpers& helpers, int fd, std::string path)
    : reactor_(reactor),
      helpers_(helpers),
      fd_(std::make_shared<const Descriptor>(fd)),
      path_(std::move(path)) {}

int64_t File::size() const {
  struct stat s{};
  ::fstat(fd_->get(), &s);  // an open descriptor cannot fail here
  return s.st_size;
}

bool File::start(FileOp& op) {
  switch (op.kind) {
    case FileOp::Kind::read:
      return read(op);
    case FileOp::Kind::write:
      return write(op);
    case FileOp::Kind::sync:
      return hand_over(op, &sync_there);
    case FileOp::Kind::truncate:
      return hand_over(op, &truncate_there);
    case FileOp::Kind::drop_cache:
      return hand_over(op, &drop_cache_there);
  }
  return op.fail(Errc::invalid, "no such operation");
}

bool File::hand_over(FileOp& op, void (*work)(void*, Op&)) {
  helpers_.submit({.work = work, .target = this, .op = &op, .home = &reactor_});
  return false;
}

// op is finished. A task that only reads and writes what is in memory never waits by itself: once
// it has done enough for one turn, the others come first.
bool File::finish_at_once(FileOp& op, size_t bytes) {
  if (reactor_.spend(bytes)) return true;
  reactor_.ready(op);
  return false;
}

bool File::read(FileOp& op) {
  op.count = 0;
  if (peek_ == Peek::no) return hand_over(op, &read_rest);
  if (peek_ == Peek::always_warm) {
    read_rest(this, op);
    return finish_at_once(op, op.into.size());
  }
  while (static_cast<size_t>(op.count) < op.into.size()) {
    ssize_t n =
        peek(fd_->get(), op.into.subspan(static_cast<size_t>(op.count)), op.position + op.count);
    if (n == 0) break;
    if (n > 0) {
      op.count += n;
      continue;
    }
    if (errno == EAGAIN) return hand_over(op, &read_rest);
    if (errno != EOPNOTSUPP && errno != ENOSYS) return fail_with(op, errno);
    peek_ = lives_in_memory(fd_->get()) ? Peek::always_warm : Peek::no;
    return read(op);
  }
  op.succeed(op.count);
  return finish_at_once(op, static_cast<size_t>(op.count));
}

bool File::write(FileOp& op) {
  size_t total = 0;
  for (Bytes part : op.parts) total += part.size();
  if (total > kMostAtOnce) return hand_over(op, &write_there);
  write_all(fd_->get(), op);
  return finish_at_once(op, total);
}

bool File::in_memory(int64_t position, size_t length) const {
  if (peek_ != Peek::yes) return peek_ == Peek::always_warm;
  for (int64_t at : {position, position + static_cast<int64_t>(length) - 1}) {
    uint8_t byte;
    if (peek(fd_->get(), MutableBytes(&byte, 1), at) >= 0) continue;
    if (errno == EAGAIN) return false;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return true;  // sendfile will say what is wrong
    peek_ = lives_in_memory(fd_->get()) ? Peek::always_warm : Peek::no;
    return peek_ == Peek::always_warm;
  }
  return true;
}

void File::warm(const Descriptor& fd, int64_t position, size_t length) {
  std::array<uint8_t, 64 << 10> scratch;
  for (size_t done = 0; done < length;) {
    size_t want = std::min(scratch.size(), length - done);
    ssize_t n = ::pread(fd.get(), scratch.data(), want, position + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // sendfile will find the end or the error
    done += static_cast<size_t>(n);
  }
}

}  // namespace moldau::host::posix
