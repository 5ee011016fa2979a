#include "host/posix/reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "host/posix/errors.h"

namespace moldau::host::posix {
namespace {

// The loop that runs on this thread.
thread_local const Reactor* t_current = nullptr;

int64_t read_clock(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

void resume_op(void* op, uint64_t) { static_cast<Op*>(op)->waiter.resume(); }

Result<std::unique_ptr<Reactor>> Reactor::create() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return error_of(errno).in("epoll_create1");
  Descriptor event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event) return error_of(errno).in("eventfd");
  epoll_event e{};
  e.events = EPOLLIN | EPOLLET;  // each write is an edge of its own: nobody needs to read the count
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, event.get(), &e))
    return error_of(errno).in("epoll_ctl");
  return std::unique_ptr<Reactor>(new Reactor(epoll.release(), event.release()));
}

Reactor::~Reactor() = default;

Instant Reactor::now() const { return {read_clock(CLOCK_MONOTONIC)}; }
WallTime Reactor::wall() const { return {read_clock(CLOCK_REALTIME) / 1'000'000}; }

void Reactor::ready(Op& op) {
  CHECK(!t_current || t_current == this, "an operation of another loop was made ready here");
  op.next = nullptr;
  *ready_.tail = &op;
  ready_.tail = &op.next;
}

void Reactor::post(Mail mail) {
  if (t_current == this) return own_mail_.push_back(mail);
  if (mailbox_.post(mail)) wake();
}

void Reactor::stop() {
  stop_.store(true, std::memory_order_release);
  if (t_current != this && mailbox_.rouse()) wake();
}

void Reactor::wake() {
  uint64_t one = 1;
  // Cannot fail but by overflow, and then the loop is awake.
  [[maybe_unused]] ssize_t n = ::write(event_.get(), &one, sizeof one);
}

int Reactor::watch(int fd, Watch& watch) {
  epoll_event e{};
  e.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  e.data.ptr = &watch;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &e) ? errno : 0;
}

void Reactor::put_off(Watch& watch) {
  if (!watch.linked()) put_off_.push_back(watch);
}

bool Reactor::spend(size_t bytes) {
  spent_ += bytes;
  return spent_ <= kTurnBytes;
}

void Reactor::run() {
  CHECK(!t_current, "a loop runs inside a loop");
  t_current = this;
  while (!stop_.load(std::memory_order_acquire)) one_turn();
  stop_.store(false, std::memory_order_relaxed);
  t_current = nullptr;
}

void Reactor::one_turn() {
  turn_++;
  spent_ = 0;
  resume_put_off();
  poll();
  for (int round = 0; round < kRounds; round++) {
    deliver_mail();
    fire_timers();
    run_ready();
    if (!ready_.head && own_mail_.empty()) break;
  }
}

void Reactor::resume_put_off() {
  while (Watch* watch = put_off_.pop_front()) watch->on_turn();
}

Duration Reactor::patience() const {
  if (ready_.head || !own_mail_.empty() || !put_off_.empty()) return {};
  Instant next = timers_.next();
  if (next == kNever) return {std::numeric_limits<int64_t>::max()};
  return std::max(next - now(), Duration{});
}

void Reactor::poll() {
  epoll_event events[kEvents];
  Duration time = patience();
  bool sleeps = time.nanos > 0;
  // stop() sets its flag before it looks whether we sleep; so look at it after we have said so.
  if (sleeps && !mailbox_.may_sleep()) sleeps = false;
  if (sleeps && stop_.load(std::memory_order_acquire)) time = {};
  int n = wait(events, sleeps ? time : Duration{});
  if (sleeps) mailbox_.awake();
  for (int i = 0; i < n; i++)
    if (auto* watch = static_cast<Watch*>(events[i].data.ptr)) watch->on_events(events[i].events);
}

int Reactor::wait(epoll_event* events, Duration time) {
  int n = -1;
  int64_t never = std::numeric_limits<int64_t>::max();
  if (time.nanos == 0 || time.nanos == never) {
    n = ::epoll_wait(epoll_.get(), events, kEvents, time.nanos ? -1 : 0);
  } else if (fine_wait_) {
    timespec t{.tv_sec = time.nanos / 1'000'000'000, .tv_nsec = time.nanos % 1'000'000'000};
    n = ::epoll_pwait2(epoll_.get(), events, kEvents, &t, nullptr);
    if (n < 0 && errno != EINTR)
      fine_wait_ = false;  // before Linux 5.11; the next turn does without
  } else {
    int64_t millis = std::min<int64_t>((time.nanos + 999'999) / 1'000'000, 60'000);
    n = ::epoll_wait(epoll_.get(), events, kEvents, static_cast<int>(millis));
  }
  return n;
}

void Reactor::deliver_mail() {
  mailbox_.take(batch_);
  for (const Mail& mail : batch_) mail.run(mail.context, mail.argument);
  batch_.clear();
  batch_.swap(own_mail_);
  for (const Mail& mail : batch_) mail.run(mail.context, mail.argument);
  batch_.clear();
}

void Reactor::fire_timers() {
  if (timers_.empty()) return;
  Instant present = now();
  while (Timer* timer = timers_.pop_due(present)) timer->fire(*timer);
}

void Reactor::run_ready() {
  Op* op = ready_.head;
  ready_.head = nullptr;
  ready_.tail = &ready_.head;
  while (op) {
    Op* next = op->next;  // the task may end, and op with it
    op->waiter.resume();
    op = next;
  }
}

}  // namespace moldau::host::posix
