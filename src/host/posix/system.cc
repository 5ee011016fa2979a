#include "host/posix/system.h"

#include <fmt/format.h>

#include <cstdio>

#include "host/posix/errors.h"
#include "host/posix/machine.h"
#include "host/scope.h"

namespace moldau::host::posix {
namespace {

Task<void> run_and_stop(Task<void> main, Reactor& reactor) {
  co_await std::move(main);
  reactor.stop();
}

}  // namespace

System::OneLoop::OneLoop(std::unique_ptr<Reactor> r, System& system)
    : reactor(std::move(r)),
      network(*reactor, system.helpers_, system.resolvers_, system.ports_),
      disk(*reactor, system.helpers_),
      env{*reactor, *reactor, network, disk, entropy} {}

System::System(const SystemOptions& options)
    : helpers_("helper", options.helpers), resolvers_("resolver", 2) {}
System::~System() = default;

Result<std::unique_ptr<System>> System::create(const SystemOptions& options) {
  ignore_broken_pipes();
  raise_descriptor_limit();
  settle_allocator();
  std::unique_ptr<System> system(new System(options));
  for (size_t i = 0; i < options.loops; i++) {
    TRY(reactor, Reactor::create());
    system->loops_.push_back(std::make_unique<OneLoop>(std::move(reactor), *system));
  }
  if (options.signals) {
    TRY(signals, Signals::create(system->reactor(0)));
    system->signals_ = std::move(signals);
    system->signals_->on_dump([self = system.get()] { self->dump_tasks(); });
  }
  return system;
}

void System::on_stop_signal(std::function<void(int)> call) {
  if (signals_) signals_->on_stop(std::move(call));
}

Result<void> System::run(Task<void> main) {
  auto loop_main = [](void* reactor) { static_cast<Reactor*>(reactor)->run(); };
  for (size_t i = 1; i < loops_.size(); i++) {
    int error =
        loops_[i]->thread.start(fmt::format("loop-{}", i), loop_main, loops_[i]->reactor.get());
    if (!error) continue;
    stop_loops(1, i);
    return error_of(error).in("starting the thread of a loop");
  }
  {
    Scope scope(reactor(0), "main");
    scope.spawn(run_and_stop(std::move(main), reactor(0)));
    reactor(0).run();
  }
  stop_loops(1, loops_.size());
  return {};
}

void System::stop_loops(size_t first, size_t end) {
  for (size_t i = first; i < end; i++) loops_[i]->reactor->stop();
  for (size_t i = first; i < end; i++) loops_[i]->thread.join();
}

void System::dump_tasks() {
  for (size_t i = 0; i < loops_.size(); i++) {
    auto print = [](void* reactor, uint64_t loop) {
      fmt::print(stderr, "loop {}:\n{}", loop, static_cast<Reactor*>(reactor)->dump());
    };
    reactor(i).post({print, &reactor(i), i});
  }
}

}  // namespace moldau::host::posix
