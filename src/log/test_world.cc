#include "log/test_world.h"

#include <algorithm>

#include "base/random.h"
#include "wire/record_batch_builder.h"

namespace moldau::log {

using host::DiskOp;
using host::FileOp;
using host::OpenMode;

void TestLoop::ready_at(Instant at, host::Op& op, std::function<void()> first) {
  late_.emplace(at, Late{&op, std::move(first)});
}

bool TestLoop::step(Instant limit) {
  if (!mail_.empty()) {
    host::Mail mail = mail_.front();
    mail_.pop_front();
    mail.run(mail.context, mail.argument);
    return true;
  }
  if (!ready_.empty()) {
    host::Op* op = ready_.front();
    ready_.pop_front();
    op->waiter.resume();
    return true;
  }
  Instant late = late_.empty() ? kNever : late_.begin()->first;
  if (late <= limit && late <= timers_.next()) {
    now_ = std::max(now_, late);
    Late done = std::move(late_.begin()->second);
    late_.erase(late_.begin());
    if (done.first) done.first();
    ready_.push_back(done.op);
    return true;
  }
  if (timers_.empty() || timers_.next() > limit) return false;
  now_ = std::max(now_, timers_.next());
  if (host::Timer* timer = timers_.pop_due(now_)) timer->fire(*timer);
  return true;
}

namespace {

class TestFile final : public host::File {
 public:
  TestFile(TestDisk& disk, TestDisk::InodeRef inode, std::string path, bool holds_lock)
      : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), holds_lock_(holds_lock) {}
  ~TestFile() override {
    if (holds_lock_) disk_.locks.erase(path_);
  }
  int64_t size() const override { return std::ssize(inode_->data); }
  const std::string& path() const override { return path_; }
  bool in_memory(int64_t, size_t) const override { return disk_.in_memory; }
  bool start(FileOp& op) override { return disk_.start(op, *inode_, path_); }

 private:
  TestDisk& disk_;
  TestDisk::InodeRef inode_;
  std::string path_;
  bool holds_lock_;
};

std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }

const char* name_of(DiskOp::Kind kind) {
  constexpr const char* kNames[] = {"open", "rename",         "remove", "make_directory",
                                    "list", "sync_directory", "space",  "lock"};
  return kNames[static_cast<int>(kind)];
}
const char* name_of(FileOp::Kind kind) {
  constexpr const char* kNames[] = {"read", "write", "sync", "truncate", "drop_cache"};
  return kNames[static_cast<int>(kind)];
}

}  // namespace

// False: the operation must not be performed; it failed, or (stopped) never ends.
bool TestDisk::begins(host::Op& op, std::string_view what, const std::string& path, bool& stopped) {
  stopped = operations++ >= stop_at;
  if (stopped) return false;
  if (!fault) return true;
  std::optional<Errc> error = fault(what, path);
  if (error) op.fail(*error, "made to fail");
  return !error;
}

bool TestDisk::finish(host::Op& op, Duration after, std::function<void()> first) {
  if (!later) {
    if (first) first();
    return true;
  }
  later->ready_at(later->now() + after, op, std::move(first));
  return false;
}

bool TestDisk::start(DiskOp& op) {
  bool stopped = false;
  if (begins(op, name_of(op.kind), op.path, stopped)) perform(op);
  return stopped ? false : finish(op);
}

bool TestDisk::start(FileOp& op, Inode& inode, const std::string& path) {
  bool stopped = false;
  bool goes = begins(op, name_of(op.kind), path, stopped);
  if (stopped) return false;
  if (op.kind == FileOp::Kind::sync && goes) return sync(op, inode);
  if (goes)
    perform(op, inode);
  else if (op.kind == FileOp::Kind::sync)
    inode.dirty.clear();  // as Linux does: the pages count as clean and are never written
  return finish(op);
}

void TestDisk::open(DiskOp& op) {
  auto found = names.find(op.path);
  bool exists = found != names.end();
  if (!exists && (op.mode == OpenMode::read || op.mode == OpenMode::read_write)) {
    op.fail(Errc::not_found, "no such file");
  } else if (exists && op.mode == OpenMode::create_new) {
    op.fail(Errc::already_exists, "it exists");
  } else if (!exists && !directories.contains(parent(op.path))) {
    op.fail(Errc::not_found, "no such directory");
  } else {
    if (!exists) names[op.path] = std::make_shared<Inode>();
    op.file =
        std::make_unique<TestFile>(*this, names[op.path], op.path, op.kind == DiskOp::Kind::lock);
    op.succeed();
  }
}

void TestDisk::list(DiskOp& op) {
  if (!directories.contains(op.path)) {
    op.fail(Errc::not_found, "no such directory");
    return;
  }
  for (const auto& [path, inode] : names)
    if (parent(path) == op.path)
      op.entries.push_back({path.substr(op.path.size() + 1), false, std::ssize(inode->data)});
  for (const std::string& path : directories)
    if (parent(path) == op.path && path != op.path)
      op.entries.push_back({path.substr(op.path.size() + 1), true, 0});
  std::ranges::sort(op.entries, {}, &host::DirEntry::name);
  op.succeed();
}

// What was written when it began is on the disk when it ends, not before.
bool TestDisk::sync(FileOp& op, Inode& inode) {
  syncs++;
  op.succeed();
  auto reach_disk = [&inode, then = inode.data, ranges = std::exchange(inode.dirty, {})] {
    inode.durable.resize(then.size());
    for (auto [from, to] : ranges)
      if (size_t end = std::min(to, then.size()); from < end)
        std::memcpy(inode.durable.data() + from, then.data() + from, end - from);
  };
  return finish(op, milliseconds(2), reach_disk);
}

// Directories themselves survive at once: what this module promises hangs on files.
void TestDisk::perform(DiskOp& op) {
  op.succeed();
  switch (op.kind) {
    case DiskOp::Kind::lock:
      op.mode = OpenMode::create;
      if (!locks.insert(op.path).second) {
        op.fail(Errc::busy, "locked");
        return;
      }
      [[fallthrough]];
    case DiskOp::Kind::open:
      open(op);
      return;
    case DiskOp::Kind::list:
      list(op);
      return;
    case DiskOp::Kind::make_directory:
      directories.insert(op.path);
      return;
    case DiskOp::Kind::space:
      op.space_found = {capacity - used(), capacity};
      return;
    case DiskOp::Kind::remove:
      if (names.erase(op.path) + directories.erase(op.path) == 0)
        op.fail(Errc::not_found, "no such file");
      return;
    case DiskOp::Kind::sync_directory:
      syncs++;
      std::erase_if(durable_names,
                    [&](const auto& entry) { return parent(entry.first) == op.path; });
      for (const auto& [path, inode] : names)
        if (parent(path) == op.path) durable_names[path] = inode;
      return;
    case DiskOp::Kind::rename: {
      auto move_names = [&](std::map<std::string, InodeRef>& all) {
        std::map<std::string, InodeRef> moved;
        for (auto& [path, inode] : all) {
          bool hit = path == op.path || path.starts_with(op.path + "/");
          moved[hit ? op.to + path.substr(op.path.size()) : path] = inode;
        }
        for (auto& [path, inode] : all)
          if (path == op.path) moved[op.to] = inode;
        all = std::move(moved);
      };
      move_names(names);
      if (!directories.contains(op.path)) return;
      move_names(durable_names);
      directories.erase(op.path);
      directories.insert(op.to);
      return;
    }
  }
}

void TestDisk::perform(FileOp& op, Inode& inode) {
  std::vector<uint8_t>& data = inode.data;
  auto at = static_cast<size_t>(op.position);
  op.succeed();
  switch (op.kind) {
    case FileOp::Kind::read: {
      size_t count = at < data.size() ? std::min(op.into.size(), data.size() - at) : 0;
      if (count > 0) std::memcpy(op.into.data(), data.data() + at, count);
      op.succeed(static_cast<int64_t>(count));
      return;
    }
    case FileOp::Kind::write: {
      int64_t count = 0;
      for (Bytes part : op.parts) {
        // A full disk takes what still fits.
        int64_t room =
            capacity - used() + std::max<int64_t>(0, std::ssize(data) - static_cast<int64_t>(at));
        size_t fits = static_cast<size_t>(std::clamp<int64_t>(room, 0, std::ssize(part)));
        if (data.size() < at + fits) data.resize(at + fits);
        if (fits > 0) std::memcpy(data.data() + at, part.data(), fits);
        inode.dirty.emplace_back(at, at + fits);
        if (fits < part.size()) {
          op.fail(Errc::no_space, "full");
          return;
        }
        at += fits;
        count += static_cast<int64_t>(fits);
      }
      op.succeed(count);
      return;
    }
    case FileOp::Kind::sync:
      return;
    case FileOp::Kind::drop_cache:
      if (inode.dirty.empty()) data = inode.durable;
      return;
    case FileOp::Kind::truncate:
      data.resize(at);
      return;
  }
}

void TestDisk::lose_power(Random* torn) {
  if (torn)
    for (const auto& [path, inode] : names)
      if (torn->one_in(2)) durable_names.emplace(path, inode);
  // Removals too. (A rename has both its sides or none.)
  auto removed = [&](auto& entry) {
    bool gone = !names.contains(entry.first) &&
                std::ranges::none_of(names, [&](auto& n) { return n.second == entry.second; });
    return gone && torn->one_in(2);
  };
  if (torn) std::erase_if(durable_names, removed);
  names = durable_names;
  constexpr size_t kSector = 64;
  for (auto& [path, inode] : names) {
    if (torn && inode->data.size() > inode->durable.size() && torn->one_in(2)) {
      // The new size is there, of the new bytes some sectors.
      size_t old_size = inode->durable.size();
      inode->durable.resize(old_size + torn->below(inode->data.size() - old_size + 1));
      for (size_t at = old_size; at < inode->durable.size(); at += kSector)
        if (!torn->one_in(4))
          std::memcpy(&inode->durable[at], &inode->data[at],
                      std::min(kSector, inode->durable.size() - at));
    }
    inode->data = inode->durable;
    inode->dirty.clear();
  }
}

int64_t TestDisk::used() const {
  int64_t sum = 0;
  for (const auto& [path, inode] : names) sum += std::ssize(inode->data);
  return sum;
}

std::vector<uint8_t> make_batch(int records, int64_t timestamp, size_t value_size, uint64_t seed) {
  wire::RecordBatchBuilder builder;
  Random random(seed);
  std::vector<uint8_t> value(value_size);
  for (int i = 0; i < records; i++) {
    for (uint8_t& byte : value) byte = static_cast<uint8_t>('a' + random.below(26));
    builder.add(timestamp + i, std::nullopt, value);
  }
  return builder.finish();
}

std::vector<uint8_t> make_producer_batch(const ProducerBatch& batch) {
  wire::RecordBatchBuilder builder({.producer_id = ProducerId(batch.producer),
                                    .producer_epoch = ProducerEpoch(batch.epoch),
                                    .base_sequence = batch.sequence,
                                    .transactional = batch.transactional});
  std::vector<uint8_t> value(batch.value_size, 'p');
  wire::NullableBytes key;
  if (batch.key) key = as_bytes(*batch.key);
  builder.add(batch.timestamp, key, value);
  return builder.finish();
}

std::vector<uint8_t> make_marker(int64_t producer, int16_t epoch, bool abort) {
  wire::RecordBatchBuilder builder({.producer_id = ProducerId(producer),
                                    .producer_epoch = ProducerEpoch(epoch),
                                    .transactional = true,
                                    .control = true});
  const uint8_t key[4] = {0, 0, 0, static_cast<uint8_t>(abort ? 0 : 1)};
  const uint8_t value[6] = {0, 0, 0, 0, 0, 0};
  builder.add(1'700'000'000'000, Bytes(key), Bytes(value));
  return builder.finish();
}

Incoming incoming(Bytes batches) {
  BlockRef block = BlockRef::allocate(batches.size());
  std::memcpy(block.data(), batches.data(), batches.size());
  MutableBytes bytes(block.data(), batches.size());
  return {std::move(block), bytes};
}

host::Task<Result<void>> TestLog::open(host::Env& env, LogConfig config) {
  CO_TRY(opened_dir, LogDir::open(env, "data", dir_config));
  dir = std::move(opened_dir);
  LogDir& in = *dir;
  std::string directory = name;
  CO_TRY(opened, Log::open(env, in, directory, config));
  log = std::move(opened);
  co_return Result<void>();
}

host::Task<Result<void>> TestLog::close(host::Env& env) {
  CO_TRY_(log->close(env));
  co_return co_await dir->close(7);
}

host::Task<std::vector<uint8_t>> flat(const ReadResult& result) {
  std::vector<uint8_t> out;
  for (const ReadPiece& piece : result.pieces) {
    size_t at = out.size();
    out.resize(at + piece.length);
    MutableBytes into(out.data() + at, piece.length);
    if (piece.file) {
      auto count = co_await piece.file->read_at(into, piece.position);
      if (!count || *count != piece.length) out.resize(at);
    } else {
      std::memcpy(into.data(), piece.bytes.data(), piece.length);
    }
  }
  co_return out;
}

host::Task<void> wait_for(host::Env& env, Log& log, Appended appended) {
  while (log.state(appended) == AppendState::pending) co_await env.loop.sleep(milliseconds(1));
}

host::Task<Result<Appended>> append_and_wait(host::Env& env, Log& log, std::vector<uint8_t> batch,
                                             Origin origin, LeaderEpoch epoch) {
  Incoming in = incoming(batch);
  Result<Appended> appended = log.append(in.block, in.bytes, epoch, env.clock.wall(), origin);
  if (!appended) co_return appended;
  Appended at = *appended;
  co_await log.write_out(env);
  co_await wait_for(env, log, at);
  co_return at;
}

bool TestWorld::run(host::Task<void> task) {
  scope_->spawn(std::move(task));
  Instant limit = loop.now() + seconds(600);
  while (scope_->running() > 0 && loop.step(disk.stopped() ? loop.now() : limit)) {
  }
  bool ended = scope_->running() == 0;
  if (!ended) scope_ = std::make_unique<host::Scope>(loop, "test");
  return ended;
}

}  // namespace moldau::log
