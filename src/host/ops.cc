// What the operations of Network and Disk hand to their awaiters.
#include "host/disk.h"
#include "host/network.h"

namespace moldau::host {

Stream::~Stream() = default;
Listener::~Listener() = default;
Network::~Network() = default;
File::~File() = default;
Disk::~Disk() = default;

Result<std::unique_ptr<Stream>> ConnectOp::take() {
  if (failed) return Error(error, "connect to " + to.to_string() + ": " + detail);
  return std::move(stream);
}
Result<std::unique_ptr<Stream>> AcceptOp::take() {
  if (failed) return Error(error, detail);
  return std::move(stream);
}
Result<std::vector<IpAddress>> ResolveOp::take() {
  if (failed) return Error(error, "resolve " + host + ": " + detail);
  return std::move(addresses);
}

namespace {
Error disk_error(const DiskOp& op) { return Error(op.error, op.path + ": " + op.detail); }
}  // namespace

Result<std::unique_ptr<File>> DiskFileOp::take() {
  if (failed) return disk_error(*this);
  return std::move(file);
}
Result<std::vector<DirEntry>> DiskListOp::take() {
  if (failed) return disk_error(*this);
  return std::move(entries);
}
Result<Space> DiskSpaceOp::take() const {
  if (failed) return disk_error(*this);
  return space_found;
}
Result<void> DiskVoidOp::take() const {
  if (failed) return disk_error(*this);
  return {};
}

}  // namespace moldau::host
