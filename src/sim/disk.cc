#include "sim/disk.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "sim/world.h"

namespace moldau::sim {
namespace {

class SimDisk final : public host::Disk {
 public:
  SimDisk(sim::Disk& disk, SimLoop& loop) : disk_(disk), loop_(loop) {}
  bool start(host::DiskOp& op) override { return disk_.start(op, loop_); }

 private:
  sim::Disk& disk_;
  SimLoop& loop_;
};

constexpr int64_t kUnlimited = int64_t{1} << 40;

const char* text_of(Errc code) {
  switch (code) {
    case Errc::no_space:
      return "No space left on device";
    case Errc::exhausted:
      return "Too many open files";
    case Errc::permission:
      return "Read-only file system";
    default:
      return "Input/output error";
  }
}

// Details are static text: an Op keeps only a pointer.
const char* text_of(const Error& error) {
  switch (error.code()) {
    case Errc::not_found:
      return "No such file or directory";
    case Errc::already_exists:
      return "File exists";
    case Errc::busy:
      return "held by another process";
    case Errc::invalid:
      return "Invalid argument";
    default:
      return text_of(error.code());
  }
}

}  // namespace

SimFile::SimFile(Disk& d, SimLoop& l, InodeId id, std::string path, bool w, bool locks)
    : disk(d), loop(l), inode(id), writable(w), path_(std::move(path)), locks_(locks) {
  disk.image().hold(inode);
}

SimFile::~SimFile() {
  if (locks_) disk.unlock(path_);
  disk.image().drop(inode);
}

Disk::Disk(World& world, uint32_t node)
    : world_(world),
      options_(world.options().disk),
      times_(world.stream("disk.times", node)),
      losses_(world.stream("disk.losses", node)),
      image_(options_),
      quota_(options_.quota) {}

Disk::~Disk() = default;

std::unique_ptr<host::Disk> Disk::facade(SimLoop& loop) {
  return std::make_unique<SimDisk>(*this, loop);
}

uint64_t Disk::add_trouble(DiskTrouble trouble, Random stream) {
  uint64_t id = next_trouble_++;
  troubles_.emplace(id, Trouble{std::move(trouble), stream, {}});
  return id;
}

void Disk::stop_at(uint64_t number, std::function<void()> then) {
  stop_at_ = number;
  stopped_ = std::move(then);
}

// Decides the fate of an operation when it begins, in the order of their numbers.
void Disk::judge(UnderWay& call, uint32_t kind, const std::string& path) {
  uint64_t number = ++operations_;
  if (auto chosen = failing_.find(number); chosen != failing_.end()) {
    call.fails = true;
    call.code = chosen->second;
  }
  for (auto& [id, trouble] : troubles_) {
    const DiskTrouble& what = trouble.what;
    if (!(what.calls & kind) || path.find(what.path_part) == std::string::npos) continue;
    bool hits = trouble.stuck.contains(path) || trouble.random.one_in(what.one_in);
    if (!hits) continue;
    if (what.flips) {
      call.flips = true;
      continue;
    }
    if (what.sticky) trouble.stuck.insert(path);
    call.fails = true;
    call.code = what.code;
  }
}

int64_t Disk::duration(const Duration& typical) {
  auto most = static_cast<uint64_t>(typical.nanos * 2);
  int64_t nanos = static_cast<int64_t>(times_.below(most)) + 1;
  if (times_.one_in(200)) nanos *= 20;
  return nanos * slowness_;
}

bool Disk::begin(UnderWay call, const Duration& typical, bool may_be_quick) {
  bool stopped = stop_at_ != 0 && operations_ >= stop_at_;
  bool quick = may_be_quick && slowness_ == 1 && !stopped;
  if (quick && (world_.fifo() || !times_.one_in(options_.late))) {
    perform(call);
    return true;
  }
  if (free_slots_.empty()) {
    free_slots_.push_back(under_way_.size());
    under_way_.emplace_back();
  }
  size_t slot = free_slots_.back();
  free_slots_.pop_back();
  if (stopped) {
    under_way_[slot] = call;
    if (auto then = std::exchange(stopped_, {})) then();
    return false;
  }
  int64_t at = world_.now().nanos + duration(typical);
  world_.at(at, &Disk::on_done, this, slot, &call.loop->node());
  under_way_[slot] = call;
  return false;
}

void Disk::on_done(void* self, uint64_t slot) {
  auto& disk = *static_cast<Disk*>(self);
  UnderWay call = std::exchange(disk.under_way_[slot], {});
  disk.free_slots_.push_back(slot);
  disk.perform(call);
  if (call.file_op)
    call.loop->finish(*call.file_op);
  else
    call.loop->finish(*call.disk_op);
}

void Disk::narrate(const UnderWay& call) const {
  if (!world_.options().narrate) return;
  constexpr std::array<const char*, 8> kNames{"open", "rename",   "remove", "make",
                                              "list", "sync dir", "space",  "lock"};
  constexpr std::array<const char*, 5> kCalls{"read", "write", "sync", "truncate", "drop cache of"};
  const char* how = call.fails ? " fails" : "";
  if (call.file_op && call.file_op->kind != host::FileOp::Kind::read)
    world_.tell("  {} {} at {}{}", kCalls[static_cast<size_t>(call.file_op->kind)],
                call.file->path(), call.file_op->position, how);
  if (call.disk_op)
    world_.tell("  {} {} {}{}", kNames[static_cast<size_t>(call.disk_op->kind)], call.disk_op->path,
                call.disk_op->to, how);
}

void Disk::perform(UnderWay& call) {
  narrate(call);
  if (call.file_op)
    perform_file(call);
  else
    perform_name(call);
}

// ---- files

bool Disk::start(host::FileOp& op, SimFile& file) {
  CHECK(!file.loop.node().dying(), "{}: an operation of a node that is dead", file.path());
  using Kind = host::FileOp::Kind;
  bool writes = op.kind == Kind::write || op.kind == Kind::truncate;
  if (writes && !file.writable) return op.fail(Errc::permission, "opened for reading");
  if (op.position < 0) return op.fail(Errc::invalid, "Invalid argument");
  UnderWay call{.file_op = &op, .file = &file, .loop = &file.loop, .mark = image_.mark()};
  uint32_t kind = op.kind == Kind::read ? kDiskRead : writes ? kDiskWrite : kDiskSync;
  judge(call, kind, file.path());
  Duration typical = op.kind == Kind::read ? options_.read
                     : writes              ? options_.write
                                           : options_.sync;
  return begin(call, typical, op.kind == Kind::read || op.kind == Kind::write);
}

void Disk::perform_file(UnderWay& call) {
  host::FileOp& op = *call.file_op;
  InodeId id = call.file->inode;
  switch (op.kind) {
    case host::FileOp::Kind::read:
      return perform_read(call);
    case host::FileOp::Kind::write:
      return perform_write(call);
    case host::FileOp::Kind::sync:
      if (call.fails) {
        image_.sync_failed(id, call.mark, losses_);
        op.fail(call.code, text_of(call.code));
        return;
      }
      image_.sync(id, call.mark);
      op.succeed();
      return;
    case host::FileOp::Kind::truncate:
      if (call.fails) {
        op.fail(call.code, text_of(call.code));
        return;
      }
      image_.truncate(id, op.position);
      op.succeed();
      return;
    case host::FileOp::Kind::drop_cache:
      if (call.fails) {
        op.fail(call.code, text_of(call.code));
        return;
      }
      image_.drop_cache(id);
      op.succeed();
      return;
  }
}

void Disk::perform_read(UnderWay& call) {
  host::FileOp& op = *call.file_op;
  if (call.fails) {
    op.fail(call.code, text_of(call.code));
    return;
  }
  size_t n = image_.read(call.file->inode, op.position, op.into);
  if (call.flips && n > 0) {
    size_t at = static_cast<size_t>(losses_.below(n));
    op.into[at] ^= static_cast<uint8_t>(1u << losses_.below(8));
    read_flips_++;
  }
  op.succeed(static_cast<int64_t>(n));
}

void Disk::write_parts(const host::FileOp& op, InodeId id, uint64_t at_most) {
  int64_t position = op.position;
  for (Bytes part : op.parts) {
    size_t n = std::min<size_t>(part.size(), at_most);
    if (n == 0) continue;
    image_.write(id, position, part.first(n));
    position += static_cast<int64_t>(n);
    at_most -= n;
  }
}

void Disk::perform_write(UnderWay& call) {
  host::FileOp& op = *call.file_op;
  InodeId id = call.file->inode;
  uint64_t total = 0;
  for (Bytes part : op.parts) total += part.size();
  if (!call.fails && quota_ < kUnlimited) {
    int64_t growth = op.position + static_cast<int64_t>(total) - image_.size(id);
    if (growth > 0 && image_.used() + growth > quota_) {
      call.fails = true;
      call.code = Errc::no_space;
    }
  }
  if (call.fails) {
    write_parts(op, id, losses_.below(total + 1));
    op.fail(call.code, text_of(call.code));
    return;
  }
  write_parts(op, id, total);
  op.succeed(static_cast<int64_t>(total));
}

Result<size_t> Disk::read_for_send(const host::File& file, MutableBytes out, int64_t position) {
  const auto& source = static_cast<const SimFile&>(file);
  UnderWay call;
  source.disk.judge(call, kDiskRead, source.path());
  if (call.fails) return fail(call.code);
  size_t n = source.disk.image_.read(source.inode, position, out);
  if (call.flips && n > 0) {
    out[static_cast<size_t>(source.disk.losses_.below(n))] ^= 1;
    source.disk.read_flips_++;
  }
  return n;
}

// Of one block of 4 KiB yes, of its neighbour no; memory is never damaged.
bool SimFile::in_memory(int64_t position, size_t length) const {
  int64_t last = position + static_cast<int64_t>(length) - 1;
  bool cached = (position >> 12) % 2 == 0 && (last >> 12) % 2 == 0;
  return cached && !disk.image().damaged(inode);
}

// ---- names

bool Disk::start(host::DiskOp& op, SimLoop& loop) {
  CHECK(!loop.node().dying(), "{}: an operation of a node that is dead", op.path);
  UnderWay call{.disk_op = &op, .loop = &loop};
  judge(call, kDiskName, op.path);
  return begin(call, options_.name, true);
}

void Disk::finish_name(UnderWay& call, const Result<void>& result) {
  if (result)
    call.disk_op->succeed();
  else
    call.disk_op->fail(result.error().code(), text_of(result.error()));
}

void Disk::open_file(UnderWay& call, host::OpenMode mode, bool locks) {
  host::DiskOp& op = *call.disk_op;
  if (locks && locked_.contains(op.path)) return finish_name(call, fail(Errc::busy));
  Result<InodeId> id = image_.open(op.path, mode);
  if (!id) return finish_name(call, id.error());
  if (locks) locked_.insert(op.path);
  bool writable = mode != host::OpenMode::read;
  op.file = std::make_unique<SimFile>(*this, *call.loop, *id, op.path, writable, locks);
  op.succeed();
}

void Disk::perform_name(UnderWay& call) {
  host::DiskOp& op = *call.disk_op;
  if (call.fails) {
    op.fail(call.code, text_of(call.code));
    return;
  }
  switch (op.kind) {
    case host::DiskOp::Kind::open:
      return open_file(call, op.mode, false);
    case host::DiskOp::Kind::lock:
      return open_file(call, host::OpenMode::create, true);
    case host::DiskOp::Kind::rename:
      return finish_name(call, image_.rename(op.path, op.to));
    case host::DiskOp::Kind::remove:
      return finish_name(call, image_.remove(op.path));
    case host::DiskOp::Kind::make_directory:
      return finish_name(call, image_.make_directory(op.path));
    case host::DiskOp::Kind::sync_directory:
      return finish_name(call, image_.sync_directory(op.path));
    case host::DiskOp::Kind::list: {
      Result<std::vector<host::DirEntry>> found = image_.list(op.path);
      if (!found) return finish_name(call, found.error());
      op.entries = std::move(*found);
      op.succeed();
      return;
    }
    case host::DiskOp::Kind::space:
      op.space_found = {std::max<int64_t>(0, quota_ - image_.used()), quota_};
      op.succeed();
      return;
  }
}

// ---- the end of the process

void Disk::on_crash(Crash kind) {
  // A write that was under way has reached the file up to some byte.
  for (UnderWay& call : under_way_) {
    if (call.file_op && call.file_op->kind == host::FileOp::Kind::write) {
      uint64_t total = 0;
      for (Bytes part : call.file_op->parts) total += part.size();
      uint64_t fate = losses_.below(3);
      uint64_t reached = fate == 0 ? 0 : fate == 1 ? total : losses_.below(total + 1);
      write_parts(*call.file_op, call.file->inode, reached);
    }
    if (call.disk_op && !call.fails && losses_.one_in(2)) {
      perform_name(call);  // the system had done it, nobody heard of it
      call.disk_op->file.reset();
    }
  }
  under_way_.clear();
  free_slots_.clear();
  if (operations_ >= stop_at_) stop_at_ = 0;
  if (kind != Crash::power) return;
  power_losses_++;
  image_.power_loss(losses_);
}

}  // namespace moldau::sim
