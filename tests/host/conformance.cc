#include "conformance.h"

#include <algorithm>

#include "base/random.h"

namespace moldau::host {

std::vector<World> worlds() {
  std::vector<World> all{posix_world()};
#ifdef MOLDAU_HAVE_SIM_WORLD
  all.push_back(simulated_world());
#endif
  return all;
}

std::vector<uint8_t> pattern(size_t size, uint64_t seed) {
  Random random(seed);
  std::vector<uint8_t> bytes(size);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(random.next());
  return bytes;
}

void Talk::reach(int step) {
  step_ = std::max(step_, step);
  changed_.raise();
}

Task<void> Talk::until(Loop& loop, int step) {
  WaitSet changes(loop);
  changes.watch(changed_);
  while (step_ < step && !server_done_ && !client_done_) co_await changes.wait_until(kNever);
}

Task<void> Talk::accept_and_serve(Part part) {
  Result<std::unique_ptr<Listener>> listener = server.network.listen({harness.server_ip(), 0});
  CO_ASSERT_OK(listener);
  at = {harness.server_ip(), (*listener)->local().port};
  listening_ = true;
  changed_.raise();
  Result<std::unique_ptr<Stream>> stream = co_await (*listener)->accept();
  CO_ASSERT_OK(stream);
  co_await part(*this, **stream);
  (*stream)->close();
}

Task<void> Talk::serve(Part part) {
  co_await accept_and_serve(part);
  server_done_ = true;
  changed_.raise();
  WaitSet changes(server.loop);
  changes.watch(changed_);
  while (!client_done_) co_await changes.wait_until(kNever);
}

Task<void> Talk::connect_and_visit(Part part) {
  WaitSet changes(client.loop);
  changes.watch(changed_);
  while (!listening_ && !server_done_) co_await changes.wait_until(kNever);
  CO_ASSERT(listening_);
  Result<std::unique_ptr<Stream>> stream = co_await client.network.connect(at);
  CO_ASSERT_OK(stream);
  co_await part(*this, **stream);
  (*stream)->close();
}

Task<void> Talk::visit(Part part) {
  co_await connect_and_visit(part);
  client_done_ = true;
  changed_.raise();
}

void Talk::run(Part server_part, Part client_part) {
  Scope visitors(client.loop, "client");
  visitors.spawn(visit(client_part));
  harness.run(serve(server_part));
}

Task<void> send_all(Stream& stream, Bytes bytes) {
  while (!bytes.empty()) {
    std::span<const Bytes> parts(&bytes, 1);
    Result<size_t> n = co_await stream.send(parts);
    CO_ASSERT_OK(n);
    CO_ASSERT(*n > 0 && *n <= bytes.size());
    bytes = bytes.subspan(*n);
  }
}

Task<void> receive(Stream& stream, std::vector<uint8_t>& into, size_t most, size_t buffer) {
  std::vector<uint8_t> space(buffer);
  size_t start = into.size();
  while (into.size() - start < most) {
    MutableBytes room(space.data(), std::min(buffer, most - (into.size() - start)));
    Result<size_t> n = co_await stream.recv(room);
    CO_ASSERT_OK(n);
    CO_ASSERT(*n <= room.size());
    if (*n == 0) co_return;
    into.insert(into.end(), space.begin(), space.begin() + static_cast<ptrdiff_t>(*n));
  }
}

}  // namespace moldau::host
