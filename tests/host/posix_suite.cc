// What only the real world has: other processes, signals, descriptors that run out, cold files.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "conformance.h"
#include "host/call.h"
#include "host/posix/descriptor.h"
#include "host/posix/machine.h"
#include "host/posix/port_holder.h"
#include "host/posix/socket_address.h"
#include "host/posix/system.h"

namespace moldau::host {
namespace {

const IpAddress kLocalhost = IpAddress::v4(127, 0, 0, 1);

struct PosixSuite : testing::Test {
  std::unique_ptr<Harness> harness = posix_world().make();
  Env& env() { return harness->server(); }
  std::string dir = harness->directory();
};

std::unique_ptr<posix::System> make_system(const posix::SystemOptions& options) {
  auto created = posix::System::create(options);
  EXPECT_TRUE(created);
  return std::move(*created);
}

// Another process: runs `act` and then waits to be told to go. act's result comes back through
// outcome().
class Child {
 public:
  template <class F>
  explicit Child(F act) {
    EXPECT_EQ(::pipe(answer_), 0);
    pid_ = ::fork();
    if (pid_ != 0) return;
    int result = act();
    if (::write(answer_[1], &result, sizeof result) != sizeof result) ::_exit(1);
    for (;;) ::pause();
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(answer_[0]);
    ::close(answer_[1]);
  }
  int outcome() {
    int result = -1;
    EXPECT_EQ(::read(answer_[0], &result, sizeof result), static_cast<ssize_t>(sizeof result));
    return result;
  }
  pid_t pid() const { return pid_; }

 private:
  int answer_[2] = {-1, -1};
  pid_t pid_ = -1;
};

// A plain listening socket; its port, or minus the error number.
int listen_plainly(uint16_t port, bool reuse_port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (reuse_port) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  posix::SocketAddress at(Address{kLocalhost, port});
  if (::bind(fd, at.get(), at.length) || ::listen(fd, 10)) return -errno;
  return posix::local_address(fd).port;
}

TEST_F(PosixSuite, APortOfAnotherProcessIsInUseAndItsHolderNamed) {
  for (bool reuse_port : {false, true}) {
    Child other([&] { return listen_plainly(0, reuse_port); });
    int port = other.outcome();
    ASSERT_GT(port, 0);
    auto listener = env().network.listen({kLocalhost, static_cast<uint16_t>(port)});
    EXPECT_EQ(outcome(listener), "address_in_use");
    if (listener) continue;
    std::string holder = "held by pid " + std::to_string(other.pid()) + " (host_conformance)";
    holder.resize(holder.find('(') + 16);  // the system keeps 15 characters of a command
    EXPECT_NE(listener.error().text().find(holder), std::string::npos) << listener.error().text();
  }
}

TEST_F(PosixSuite, ASecondMoldauIsRefusedUntilTheFirstOneCloses) {
  auto first = env().network.listen({kLocalhost, 0});
  ASSERT_TRUE(first);
  Address at = (*first)->local();
  auto other = make_system({});
  auto second = other->env(0).network.listen(at);
  EXPECT_EQ(outcome(second), "address_in_use");
  auto same_process = env().network.listen(at);
  EXPECT_EQ(outcome(same_process), "ok");
  second = other->env(0).network.listen(at);
  EXPECT_EQ(outcome(second), "address_in_use") << "also while two of ours share it";
  first->reset();
  same_process->reset();
  second = other->env(0).network.listen(at);
  EXPECT_EQ(outcome(second), "ok");
}

TEST_F(PosixSuite, TheWildcardListensForBothFamilies) {
  auto listener = env().network.listen({IpAddress::any_v6(), 0});
  ASSERT_TRUE(listener) << listener.error().to_string();
  auto visit = [](Env& e, Listener& l, Address to) -> Task<void> {
    Result<std::unique_ptr<Stream>> out = co_await e.network.connect(to);
    CO_ASSERT_OK(out);
    Result<std::unique_ptr<Stream>> in = co_await l.accept();
    CO_ASSERT_OK(in);
    EXPECT_EQ((*in)->peer(), (*out)->local()) << "an IPv4 peer looks like one";
  };
  uint16_t port = (*listener)->local().port;
  harness->run(visit(env(), **listener, Address{kLocalhost, port}));
  IpAddress six = *IpAddress::parse("::1");
  if ((*listener)->local().ip.v6) harness->run(visit(env(), **listener, Address{six, port}));
}

// Fills the descriptor table while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int fd; (fd = ::dup(0)) >= 0;) taken_.push_back(fd);
  }
  ~NoDescriptors() {
    for (int fd : taken_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};
Task<void> accept_without_descriptors(Env& env, std::string path) {
  Result<std::unique_ptr<Listener>> listener = env.network.listen({kLocalhost, 0});
  CO_ASSERT_OK(listener);
  Address at = (*listener)->local();
  Result<std::unique_ptr<Stream>> visitor = co_await env.network.connect(at);
  CO_ASSERT_OK(visitor);
  // Each call was made once before: the sanitizer needs a descriptor to look at a type that is new
  // to it.
  Result<std::unique_ptr<File>> before = co_await env.disk.open(path, OpenMode::create);
  CO_ASSERT_OK(before);
  {
    NoDescriptors none;
    Instant start = env.loop.now();
    for (int i = 0; i < 3; i++) {
      Result<std::unique_ptr<Stream>> refused = co_await (*listener)->accept();
      EXPECT_EQ(outcome(refused), "exhausted");
    }
    EXPECT_GE(env.loop.now() - start, milliseconds(80)) << "the loop spins";
    Result<std::unique_ptr<File>> file = co_await env.disk.open(path, OpenMode::create);
    EXPECT_EQ(outcome(file), "exhausted");
    Result<std::unique_ptr<Stream>> out = co_await env.network.connect(at);
    EXPECT_EQ(outcome(out), "exhausted");
  }
  Result<std::unique_ptr<Stream>> accepted = co_await (*listener)->accept();
  EXPECT_EQ(outcome(accepted), "ok") << "the connection waited and is served";
}
TEST_F(PosixSuite, WithoutDescriptorsTheLoopNeitherSpinsNorDies) {
  harness->run(accept_without_descriptors(env(), dir + "/f"));
}

Task<void> recv_a_reset(Env& env, Listener& listener) {
  Result<std::unique_ptr<Stream>> stream = co_await listener.accept();
  CO_ASSERT_OK(stream);
  std::array<uint8_t, 10> space;
  for (int i = 0; i < 2; i++) {
    Result<size_t> n = co_await (*stream)->recv(space);
    EXPECT_EQ(outcome(n), "reset") << "also the second time";
  }
  Text text("x");
  Result<size_t> n = co_await (*stream)->send(text.parts());
  EXPECT_EQ(outcome(n), "reset");
  EXPECT_GT(env.loop.now().nanos, 0);
}
TEST_F(PosixSuite, AResetStaysAReset) {
  auto listener = env().network.listen({kLocalhost, 0});
  ASSERT_TRUE(listener);
  posix::Descriptor peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  posix::SocketAddress to((*listener)->local());
  ASSERT_EQ(::connect(peer.get(), to.get(), to.length), 0);
  linger abort{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  std::thread breaker([&peer] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    peer.close();
  });
  harness->run(recv_a_reset(env(), **listener));
  breaker.join();
}

// A file that is not in memory, as far as the system follows the advice.
Task<void> make_cold(Env& env, std::string path, const std::vector<uint8_t>& bytes) {
  Result<std::unique_ptr<File>> file = co_await env.disk.open(path, OpenMode::create);
  CO_ASSERT_OK(file);
  Bytes part(bytes);
  std::span<const Bytes> parts(&part, 1);
  Result<size_t> n = co_await (*file)->write_at(parts, 0);
  CO_ASSERT_OK(n);
  Result<void> synced = co_await (*file)->sync();
  CO_ASSERT_OK(synced);
  posix::Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
}
Task<void> read_cold(Env& env, std::string path, const std::vector<uint8_t>& bytes) {
  co_await make_cold(env, path, bytes);
  Result<std::unique_ptr<File>> file = co_await env.disk.open(path, OpenMode::read);
  CO_ASSERT_OK(file);
  std::vector<uint8_t> back(bytes.size() + 10);
  MutableBytes room(back);
  Result<size_t> n = co_await (*file)->read_at(room, 0);
  CO_ASSERT_OK(n);
  back.resize(*n);
  EXPECT_TRUE(back == bytes);
}
TEST_F(PosixSuite, ColdFilesAreRead) {
  auto bytes = pattern(3 << 20);
  harness->run(read_cold(env(), dir + "/cold", bytes));
}

Task<void> send_cold(Talk& talk, Stream& stream) {
  std::string path = talk.harness.directory() + "/cold";
  co_await make_cold(talk.server, path, talk.sent);
  Result<std::unique_ptr<File>> file = co_await talk.server.disk.open(path, OpenMode::read);
  CO_ASSERT_OK(file);
  for (size_t at = 0; at < talk.sent.size();) {
    Result<size_t> n =
        co_await stream.send_file(**file, static_cast<int64_t>(at), talk.sent.size() - at);
    CO_ASSERT_OK(n);
    CO_ASSERT(*n > 0);
    at += *n;
  }
  stream.shutdown_send();
}
Task<void> receive_all(Talk& talk, Stream& stream) {
  co_await receive(stream, talk.received, SIZE_MAX, 100'000);
}
TEST_F(PosixSuite, ColdFilesAreSent) {
  Talk talk(*harness);
  talk.sent = pattern(3 << 20);
  talk.run(&send_cold, &receive_all);
  EXPECT_TRUE(talk.received == talk.sent);
}

// The file goes while the socket is full and its range waits.
Task<void> send_from(Stream& stream, File& file, size_t length, bool& stopped) {
  for (size_t at = 0; at < length;) {
    Result<size_t> n = co_await stream.send_file(file, static_cast<int64_t>(at), length - at);
    CO_ASSERT_OK(n);
    at += *n;
    if (stopped) break;
  }
}
Task<void> drop_the_file(Talk& talk, Stream& stream) {
  std::string path = talk.harness.directory() + "/f";
  co_await make_cold(talk.server, path, talk.sent);
  Result<std::unique_ptr<File>> file = co_await talk.server.disk.open(path, OpenMode::read);
  CO_ASSERT_OK(file);
  Scope scope(talk.server.loop, "sender");
  bool stopped = false;
  scope.spawn(send_from(stream, **file, talk.sent.size(), stopped));
  co_await talk.server.loop.sleep(milliseconds(10));
  EXPECT_EQ(scope.running(), 1u) << "nobody reads: it must still wait";
  stopped = true;
  file->reset();
  talk.reach(1);
  co_await scope.drained();
}
Task<void> read_later(Talk& talk, Stream& stream) {
  co_await talk.until(talk.client.loop, 1);
  co_await receive(stream, talk.received, SIZE_MAX, 1 << 20);
}
TEST_F(PosixSuite, AFileMayGoWhileItIsSent) {
  Talk talk(*harness);
  talk.sent = pattern(32 << 20);
  talk.run(&drop_the_file, &read_later);
  talk.sent.resize(talk.received.size());
  EXPECT_GT(talk.received.size(), 0u);
  EXPECT_TRUE(talk.received == talk.sent);
}

// Apache Kafka takes its .lock by fcntl.
int lock_as_java_does(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return ::fcntl(fd, F_SETLK, &whole) == 0 ? 0 : errno;
}
Task<void> lock_and(Disk& disk, std::string path, std::string expected,
                    std::unique_ptr<File>& kept) {
  Result<std::unique_ptr<File>> file = co_await disk.lock(path);
  EXPECT_EQ(outcome(file), expected);
  if (file) kept = std::move(*file);
}
TEST_F(PosixSuite, ALockExcludesApacheKafkaAndIsExcludedByIt) {
  std::unique_ptr<File> kept;
  std::string path = dir + "/.lock";
  {
    Child kafka([&] { return lock_as_java_does(path); });
    ASSERT_EQ(kafka.outcome(), 0);
    harness->run(lock_and(env().disk, path, "busy", kept));
  }
  harness->run(lock_and(env().disk, path, "ok", kept));
  Child kafka([&] { return lock_as_java_does(path); });
  EXPECT_NE(kafka.outcome(), 0);
}

Task<void> resolve_names(Env& env) {
  std::string known = "localhost", bad = "a..b";
  Result<std::vector<IpAddress>> found = co_await env.network.resolve(known);
  CO_ASSERT_OK(found);
  IpAddress six = *IpAddress::parse("::1");
  for (const IpAddress& ip : *found) EXPECT_TRUE(ip == kLocalhost || ip == six) << ip.to_string();
  found = co_await env.network.resolve(bad);
  EXPECT_EQ(outcome(found), "unreachable");
  if (!found) EXPECT_NE(found.error().text().find("resolve a..b: "), std::string::npos);
}
TEST_F(PosixSuite, NamesAreResolvedByTheSystem) { harness->run(resolve_names(env())); }

// Work that never waits leaves room for others: the second task sees the first one half done.
Task<void> write_without_end(Env& env, std::string path, int& written) {
  Result<std::unique_ptr<File>> file = co_await env.disk.open(path, OpenMode::create);
  CO_ASSERT_OK(file);
  std::vector<uint8_t> block(64 << 10);
  Bytes part(block);
  std::span<const Bytes> parts(&part, 1);
  for (; written < 500; written++) {
    Result<size_t> n = co_await (*file)->write_at(parts, 0);
    CO_ASSERT_OK(n);
  }
}
Task<void> look_meanwhile(Loop& loop, int& written, int& looks) {
  while (written < 500) {
    looks++;
    co_await loop.yield();
  }
}
TEST_F(PosixSuite, ATaskThatOnlyWritesDoesNotKeepTheLoop) {
  int written = 0, looks = 0;
  Scope scope(env().loop, "looker");
  scope.spawn(look_meanwhile(env().loop, written, looks));
  harness->run(write_without_end(env(), dir + "/f", written));
  EXPECT_GE(looks, 5);
  auto drain = [](Scope& s) -> Task<void> { co_await s.drained(); };
  harness->run(drain(scope));
}

TEST_F(PosixSuite, StopSignalsArriveOnTheFirstLoop) {
  auto system = make_system({.signals = true});
  Event stopped(system->env(0).loop);
  std::vector<int> signals;
  system->on_stop_signal([&](int signal) {
    signals.push_back(signal);
    stopped.notify_all();
  });
  auto wait = [](Event& event, std::vector<int>& seen) -> Task<void> {
    for (int signal : {SIGTERM, SIGINT}) {
      ::kill(::getpid(), signal);
      while (seen.empty() || seen.back() != signal) co_await event.wait();
    }
  };
  EXPECT_TRUE(system->run(wait(stopped, signals)));
  EXPECT_EQ(signals, std::vector<int>({SIGTERM, SIGINT}));
}

TEST_F(PosixSuite, ADumpSignalPrintsWhereTasksWait) {
  auto system = make_system({.loops = 2, .signals = true});
  auto hang = [](Loop& loop, Loop& other) -> Task<void> {
    co_await loop.sleep(milliseconds(5));
    auto step = [] { return true; };
    bool printed = co_await call(loop, other, step);  // mail comes in order: behind the dump
    EXPECT_TRUE(printed);
  };
  testing::internal::CaptureStderr();
  ::kill(::getpid(), SIGQUIT);
  EXPECT_TRUE(system->run(hang(system->env(0).loop, system->env(1).loop)));
  std::string printed = testing::internal::GetCapturedStderr();
  EXPECT_NE(printed.find("loop 0:\n"), std::string::npos) << printed;
  EXPECT_NE(printed.find("loop 1:\n"), std::string::npos) << printed;
  EXPECT_NE(printed.find("task of main"), std::string::npos) << printed;
  EXPECT_NE(printed.find("posix_suite.cc"), std::string::npos) << printed;
}

TEST_F(PosixSuite, TheMachineAnswers) {
  EXPECT_GE(posix::usable_cores(), 1u);
  EXPECT_GT(posix::resident_bytes(), 1 << 20);
  EXPECT_GT(posix::raise_descriptor_limit(), 64);
  EXPECT_FALSE(posix::find_port_holder(1).has_value());
  EXPECT_GT(env().clock.wall().millis, 1'700'000'000'000);
}

}  // namespace
}  // namespace moldau::host
