#include "toy_server.h"

#include "base/bug.h"
#include "base/crc32c.h"
#include "base/probe.h"

namespace moldau::toy {
namespace {

constexpr const char* kFile = "/toy/log";
constexpr const char* kNewFile = "/toy/log.new";
constexpr size_t kHeader = 8;

void put_record(Buffer& out, Bytes payload) {
  put(out, static_cast<uint32_t>(payload.size()));
  put(out, crc32c(payload));
  put_bytes(out, payload);
}

host::Task<Result<Buffer>> answer(Log& log, host::Loop& loop, Buffer request) {
  if (request.empty()) co_return fail(Errc::invalid);
  Buffer reply;
  if (request[0] == kAppend) {
    request.erase(request.begin());
    int64_t offset = log.append(std::move(request));
    bool kept = co_await log.durable(offset);
    if (!kept) co_return fail(Errc::io);
    if (planted(Bug::offset_twice) && offset % 8 == 7) offset--;
    put(reply, offset);
    co_return std::move(reply);
  }
  if (request.size() != 9) co_return fail(Errc::invalid);
  int64_t offset = load_be<int64_t>(request.data() + 1);
  Instant deadline = loop.now() + milliseconds(500);
  Buffer record = co_await log.fetch(offset, deadline);
  put(reply, log.durable_end());
  put_bytes(reply, record);
  co_return std::move(reply);
}

host::Task<void> session(Log& log, host::Loop& loop, std::unique_ptr<host::Stream> stream) {
  while (!log.broken()) {
    Result<Buffer> request = co_await read_frame(*stream);
    if (!request) co_return;
    Result<Buffer> reply = co_await answer(log, loop, std::move(*request));
    if (!reply) co_return;
    Result<void> sent = co_await write_frame(*stream, std::move(*reply));
    if (!sent) co_return;
  }
}

host::Task<void> accept_all(host::Scope& sessions, Log& log, host::Listener& listener) {
  for (;;) {
    Result<std::unique_ptr<host::Stream>> stream = co_await listener.accept();
    if (!stream) co_return;
    sessions.spawn(session(log, sessions.loop(), std::move(*stream)));
  }
}

}  // namespace

host::Task<void> serve(host::Env& env, std::function<void()> exit) {
  Log log(env);
  Result<void> ready = co_await log.recover();
  if (!ready) co_return exit();
  Result<std::unique_ptr<host::Listener>> listener = env.network.listen({{}, kPort});
  if (!listener) co_return exit();
  host::Scope tasks(env.loop, "toy.log");
  tasks.spawn(log.write_pending());
  tasks.spawn(log.sync_written());
  host::Scope sessions(env.loop, "toy.sessions");
  host::Scope acceptor(env.loop, "toy.accept");
  acceptor.spawn(accept_all(sessions, log, **listener));
  co_await log.until_broken();
  // No orderly end: sessions and writer may wait for a disk that does not answer any more.
  exit();
  host::Event never(env.loop);
  co_await never.wait();
}

host::Task<Result<void>> Log::recover() {
  CO_TRY_(env_.disk.make_directory("/toy"));
  CO_TRY_(env_.disk.sync_directory("/"));
  CO_TRY_(read_old());
  CO_TRY_(rewrite());
  co_return Result<void>();
}

host::Task<Result<void>> Log::read_old() {
  Result<std::unique_ptr<host::File>> old = co_await env_.disk.open(kFile, host::OpenMode::read);
  if (!old && old.error().code() == Errc::not_found) co_return Result<void>();
  if (!old) co_return std::move(old.error());
  Buffer bytes(static_cast<size_t>((*old)->size()));
  MutableBytes into = bytes;
  CO_TRY(n, (*old)->read_at(into, 0));
  size_t kept = keep_whole_records(Bytes(bytes).first(n));
  if (kept < n) MOLDAU_PROBE("toy.torn_tail_cut");
  if (planted(Bug::recovery_drops_whole) && !records_.empty()) records_.pop_back();
  co_return Result<void>();
}

// Returns how many bytes they take; what follows was never acknowledged.
size_t Log::keep_whole_records(Bytes file) {
  size_t at = 0;
  while (file.size() - at >= kHeader) {
    size_t length = load_be<uint32_t>(file.data() + at);
    if (length == 0 || length > file.size() - at - kHeader) break;
    Bytes payload = file.subspan(at + kHeader, length);
    bool whole = crc32c(payload) == load_be<uint32_t>(file.data() + at + 4);
    if (!whole && !planted(Bug::recovery_keeps_torn)) break;
    records_.emplace_back(payload.begin(), payload.end());
    at += kHeader + length;
  }
  return at;
}

host::Task<Result<void>> Log::rewrite() {
  Buffer all;
  for (const Buffer& record : records_) put_record(all, record);
  CO_TRY(file, env_.disk.open(kNewFile, host::OpenMode::create));
  CO_TRY_(file->truncate(0));
  Bytes bytes = all;
  std::span<const Bytes> parts(&bytes, 1);
  CO_TRY_(file->write_at(parts, 0));
  CO_TRY_(file->sync());
  CO_TRY_(env_.disk.rename(kNewFile, kFile));
  CO_TRY_(env_.disk.sync_directory("/toy"));
  file_ = std::move(file);
  file_end_ = static_cast<int64_t>(all.size());
  written_end_ = durable_end_ = static_cast<int64_t>(records_.size());
  co_return Result<void>();
}

int64_t Log::append(Buffer payload) {
  put_record(pending_, payload);
  records_.push_back(std::move(payload));
  appended_.notify_all();
  return static_cast<int64_t>(records_.size()) - 1;
}

host::Task<void> Log::write_pending() {
  while (!broken_) {
    while (pending_.empty()) co_await appended_.wait();
    Buffer taken = std::exchange(pending_, {});
    auto end = static_cast<int64_t>(records_.size());
    Bytes bytes = taken;
    std::span<const Bytes> parts(&bytes, 1);
    Result<size_t> written = co_await file_->write_at(parts, file_end_);
    if (!written) co_return break_down();
    file_end_ += static_cast<int64_t>(taken.size());
    written_end_ = end;
    if (planted(Bug::ack_before_sync)) durable_end_ = end;
    if (planted(Bug::ack_before_sync)) changed_.notify_all();
    written_.notify_all();
  }
}

host::Task<void> Log::sync_written() {
  int64_t synced = durable_end_;
  while (!broken_) {
    while (written_end_ == synced) co_await written_.wait();
    int64_t end = written_end_;
    Result<void> done = co_await file_->sync();
    if (!done) MOLDAU_PROBE("toy.sync_failed");
    if (!done && planted(Bug::failed_sync_believed)) continue;
    if (!done) co_return break_down();
    if (written_end_ > end) MOLDAU_PROBE("toy.written_during_sync");
    if (planted(Bug::sync_reads_end_late)) end = written_end_;
    synced = end;
    if (!planted(Bug::ack_before_sync)) durable_end_ = end;
    changed_.notify_all();
  }
}

void Log::break_down() {
  MOLDAU_PROBE("toy.disk_failed");
  broken_ = true;
  changed_.notify_all();
}

host::Task<bool> Log::durable(int64_t offset) {
  while (durable_end_ <= offset && !broken_) co_await changed_.wait();
  co_return durable_end_ > offset;
}

host::Task<Buffer> Log::fetch(int64_t offset, Instant deadline) {
  if (planted(Bug::poll_misses_wakeup) && durable_end_ <= offset) {
    co_await env_.loop.sleep(microseconds(20));  // the gap between looking and registering
    bool changed = co_await changed_.wait_until(deadline);
    if (!changed) co_return Buffer();
  }
  while (durable_end_ <= offset && !broken_) {
    bool changed = co_await changed_.wait_until(deadline);
    if (!changed) break;
  }
  if (offset < 0 || durable_end_ <= offset) co_return Buffer();
  co_return records_[static_cast<size_t>(offset)];
}

host::Task<void> Log::until_broken() {
  while (!broken_) co_await changed_.wait();
}

}  // namespace moldau::toy
