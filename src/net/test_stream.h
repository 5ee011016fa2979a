// TestStream, TestFile: a connection and a file in memory whose other side is the test: bytes
// arrive in the pieces that it says, and leave as fast as it lets them. For *_test.cc of this
// module.
#pragma once
#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "host/disk.h"
#include "host/network.h"
#include "host/scope.h"
#include "host/test_loop.h"

namespace moldau::net {

class TestFile final : public host::File {
 public:
  explicit TestFile(std::string content) : content_(std::move(content)) {}
  int64_t size() const override { return static_cast<int64_t>(content_.size()); }
  const std::string& path() const override { return path_; }
  bool in_memory(int64_t, size_t) const override { return true; }
  bool start(host::FileOp& op) override {
    if (op.kind != host::FileOp::Kind::read) return op.fail(Errc::unsupported, "read only");
    std::string_view rest = from(op.position).substr(0, op.into.size());
    std::ranges::copy(as_bytes(rest), op.into.begin());
    reads++;
    return op.succeed(std::ssize(rest));
  }
  std::string_view from(int64_t position) const {
    std::string_view all(content_);
    return all.substr(std::min(static_cast<size_t>(position), all.size()));
  }
  int reads = 0;

 private:
  const std::string content_;
  const std::string path_ = "test";
};

class TestStream final : public host::Stream {
 public:
  explicit TestStream(host::TestLoop& loop) : loop_(loop) {}

  // The peer's side.
  void arrive(std::string_view bytes) {
    arrived_.emplace_back(bytes);
    progress();
  }
  void peer_finishes() {
    finished_ = true;
    progress();
  }
  void peer_resets() {
    reset_ = true;
    progress();
  }
  // It takes this many bytes more; at first, any number.
  void set_room(size_t bytes) {
    room_ = bytes;
    progress();
  }
  std::string sent;
  size_t most_at_once = SIZE_MAX;  // of one send
  struct Call {
    size_t parts = 0;
    bool more = false;
    bool file = false;
  };
  std::vector<Call> calls;
  size_t smallest_room = SIZE_MAX;  // that a recv offered
  int receives = 0;
  bool closed() const { return closed_; }
  bool receiving() const { return recv_ != nullptr; }
  bool sending() const { return send_ != nullptr; }

  void shutdown_send() override {}
  void close() override {
    closed_ = true;
    progress();
  }
  host::Address peer() const override { return {}; }
  host::Address local() const override { return {}; }
  bool start(host::RecvOp& op) override {
    smallest_room = std::min(smallest_room, op.into.size());
    receives++;
    if (receive(op)) return true;
    recv_ = &op;
    return false;
  }
  bool start(host::SendOp& op) override {
    calls.push_back({op.parts.size(), op.more, op.file != nullptr});
    if (send(op)) return true;
    send_ = &op;
    return false;
  }

 private:
  bool receive(host::RecvOp& op) {
    if (closed_) return op.fail(Errc::cancelled, "closed");
    if (reset_) return op.fail(Errc::reset, "reset");
    if (arrived_.empty()) return finished_ && op.succeed(0);
    std::string& next = arrived_.front();
    size_t n = std::min(next.size(), op.into.size());
    std::ranges::copy(as_bytes(next).first(n), op.into.begin());
    next.erase(0, n);
    if (next.empty()) arrived_.pop_front();
    return op.succeed(static_cast<int64_t>(n));
  }
  bool send(host::SendOp& op) {
    if (closed_) return op.fail(Errc::cancelled, "closed");
    if (reset_) return op.fail(Errc::reset, "reset");
    size_t room = std::min(room_, most_at_once);
    if (room == 0) return false;
    size_t before = sent.size();
    if (op.file) {
      const auto& file = static_cast<const TestFile&>(*op.file);
      sent += file.from(op.position).substr(0, std::min(op.length, room));
    }
    for (Bytes part : op.parts) {
      size_t done = sent.size() - before;
      sent += as_text(part.first(std::min(part.size(), room - done)));
    }
    room_ -= sent.size() - before;
    return op.succeed(static_cast<int64_t>(sent.size() - before));
  }
  void progress() {
    if (recv_ && receive(*recv_)) loop_.ready(*std::exchange(recv_, nullptr));
    if (send_ && send(*send_)) loop_.ready(*std::exchange(send_, nullptr));
  }

  host::TestLoop& loop_;
  std::deque<std::string> arrived_;
  bool finished_ = false;
  bool reset_ = false;
  bool closed_ = false;
  size_t room_ = SIZE_MAX;
  host::RecvOp* recv_ = nullptr;
  host::SendOp* send_ = nullptr;
};

// A frame as it travels: its length, then the content.
inline std::string framed(std::string_view content) {
  std::string out(4, '\0');
  store_be(reinterpret_cast<uint8_t*>(out.data()), static_cast<uint32_t>(content.size()));
  return out.append(content);
}

}  // namespace moldau::net
