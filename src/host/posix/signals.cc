#include "host/posix/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>

#include <cerrno>

#include "host/posix/errors.h"

namespace moldau::host::posix {
namespace {

sigset_t ours() {
  sigset_t set;
  ::sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGQUIT, SIGUSR1}) ::sigaddset(&set, signal);
  return set;
}

}  // namespace

Result<std::unique_ptr<Signals>> Signals::create(Reactor& reactor) {
  sigset_t set = ours();
  Descriptor fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return error_of(errno).in("signalfd");
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &set, &before);
  std::unique_ptr<Signals> signals(new Signals(reactor, fd.release(), before));
  if (int error = reactor.watch(signals->fd_.get(), *signals))
    return error_of(error).in("epoll_ctl");
  return signals;
}

Signals::Signals(Reactor& reactor, int fd, const sigset_t& before)
    : reactor_(reactor), fd_(fd), before_(before) {}

Signals::~Signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void Signals::on_events(uint32_t) {
  signalfd_siginfo info;
  while (::read(fd_.get(), &info, sizeof info) == sizeof info)
    reactor_.post({&Signals::arrived, this, info.ssi_signo});
}

void Signals::arrived(void* self, uint64_t number) {
  auto& signals = *static_cast<Signals*>(self);
  bool stop = number == SIGTERM || number == SIGINT;
  if (stop && signals.stop_) signals.stop_(static_cast<int>(number));
  if (!stop && signals.dump_) signals.dump_();
}

void ignore_broken_pipes() {
  struct sigaction now{};
  // A program that embeds us and has its own handler keeps it.
  if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL)
    ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace moldau::host::posix
