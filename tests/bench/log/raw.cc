// The calls under a log, made directly, and what the other parts share.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/crc32c.h"
#include "measure.h"

namespace moldau::bench {
namespace {

constexpr size_t kTotal = size_t{512} << 20;
constexpr size_t kPiece = size_t{64} << 10;

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double rate(size_t bytes, const Watch& watch) {
  return static_cast<double>(bytes) / watch.wall() * 1e-9;
}

double write_file(const std::string& path, size_t total, bool sync) {
  std::vector<uint8_t> piece(kPiece, 'w');
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
  Watch watch;
  for (size_t at = 0; at < total; at += kPiece) {
    if (pwrite(fd, piece.data(), kPiece, static_cast<off_t>(at)) != static_cast<ssize_t>(kPiece))
      give_up("cannot write " + path);
    if (sync && (at / kPiece) % 16 == 15 && fdatasync(fd)) give_up("cannot sync " + path);
  }
  double result = rate(total, watch);
  close(fd);
  return result;
}

double checksum() {
  std::vector<uint8_t> piece(kPiece, 'c');
  uint32_t sum = 0;
  Watch watch;
  for (size_t at = 0; at < kTotal * 2; at += kPiece) {
    piece[0] = static_cast<uint8_t>(sum);
    sum ^= crc32c(piece);
  }
  double result = rate(kTotal * 2, watch);
  if (sum == 42) puts("");  // so that it is not left out
  return result;
}

double read_file(const std::string& path) {
  std::vector<uint8_t> piece(kPiece);
  int fd = open(path.c_str(), O_RDONLY);
  Watch watch;
  for (size_t at = 0; at < kTotal; at += kPiece)
    if (pread(fd, piece.data(), kPiece, static_cast<off_t>(at)) <= 0)
      give_up("cannot read " + path);
  double result = rate(kTotal, watch);
  close(fd);
  return result;
}

}  // namespace

Watch::Watch()
    : wall_began_(seconds_of(CLOCK_MONOTONIC)), cpu_began_(seconds_of(CLOCK_PROCESS_CPUTIME_ID)) {}
double Watch::wall() const { return seconds_of(CLOCK_MONOTONIC) - wall_began_; }
double Watch::cpu() const { return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_began_; }

void give_up(const std::string& why) {
  fprintf(stderr, "log_bench: %s\n", why.c_str());
  exit(1);
}

Folder::Folder(const std::string& parent) {
  const char* temporary = getenv("TMPDIR");
  std::string where = !parent.empty() ? parent : temporary ? temporary : "/tmp";
  path_ = where + "/moldau-log-bench-" + std::to_string(getpid());
  std::filesystem::create_directories(path_);
}
Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}
std::string Folder::sub(const std::string& name) const {
  std::string path = path_ + "/" + name;
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

std::unique_ptr<host::posix::System> make_system() {
  auto system = host::posix::System::create({});
  if (!system) give_up(system.error().to_string());
  return std::move(*system);
}

void run(host::posix::System& system, host::Task<void> task) {
  Result<void> ran = system.run(std::move(task));
  if (!ran) give_up(ran.error().to_string());
}

SendTarget::SendTarget() {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  bool listening = bind(listener, generic, size) == 0 && listen(listener, 1) == 0 &&
                   getsockname(listener, generic, &size) == 0;
  out_ = socket(AF_INET, SOCK_STREAM, 0);
  if (!listening || connect(out_, generic, size)) give_up("cannot connect to myself");
  int in = accept(listener, nullptr, nullptr);
  close(listener);
  drain_ = std::thread([in] {
    std::vector<uint8_t> sink(1 << 20);
    while (recv(in, sink.data(), sink.size(), MSG_TRUNC) > 0) {
    }
    close(in);
  });
}
SendTarget::~SendTarget() {
  close(out_);
  drain_.join();
}
void SendTarget::send(int file, int64_t position, size_t length) {
  off_t at = position;
  while (length > 0) {
    ssize_t sent = sendfile(out_, file, &at, length);
    if (sent <= 0) give_up("sendfile failed");
    length -= static_cast<size_t>(sent);
  }
}

namespace {
double send_file(const std::string& path) {
  SendTarget target;
  int fd = open(path.c_str(), O_RDONLY);
  Watch watch;
  for (size_t at = 0; at < kTotal; at += 1 << 20)
    target.send(fd, static_cast<int64_t>(at), 1 << 20);
  double result = rate(kTotal, watch);
  close(fd);
  return result;
}
}  // namespace

Raw measure_raw(const Folder& folder) {
  std::string path = folder.path() + "/raw";
  Raw raw;
  raw.write = write_file(path, kTotal, false);
  raw.read = read_file(path);
  raw.sendfile = send_file(path);
  raw.write_sync = write_file(path, kTotal / 2, true);
  raw.crc = checksum();
  std::filesystem::remove(path);
  printf(
      "raw, GB/s: write of 64 KiB %.2f; with an fdatasync each MiB %.2f; read %.2f; sendfile to "
      "loopback TCP %.2f; CRC-32C %.2f\n\n",
      raw.write, raw.write_sync, raw.read, raw.sendfile, raw.crc);
  return raw;
}

}  // namespace moldau::bench
