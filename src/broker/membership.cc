#include "broker/membership.h"

#include <fmt/format.h>

#include "host/loop.h"

namespace moldau::broker {

using host::Task;

namespace {

constexpr Duration kSoon = milliseconds(10);  // others have to read what our going wrote

Error not_taken(const metadata::Verdict& verdict) {
  return fail(Errc::refused, "the controller refuses this broker: " + verdict.text);
}

}  // namespace

Task<Result<metadata::BrokerState>> Membership::beat(bool leaving) {
  metadata::BrokerHeartbeat heartbeat{.broker = config_.registration.broker.id,
                                      .epoch = epoch_,
                                      .metadata_offset = metadata_.image()->at.next.value - 1,
                                      .want_shutdown = leaving};
  co_return co_await metadata_.ask(std::move(heartbeat));
}

Task<Result<void>> Membership::join(MembershipConfig config) {
  config_ = std::move(config);
  metadata::RegisterBroker wanted = config_.registration;
  Result<metadata::BrokerRegistered> registered = co_await metadata_.ask(std::move(wanted));
  if (!registered) co_return std::move(registered.error());
  if (!registered->good()) co_return not_taken(*registered);
  epoch_ = registered->epoch;
  for (;;) {
    Offset own(epoch_ + 1);
    CO_TRY_(metadata_.wait_for(own));
    Result<metadata::BrokerState> state = co_await beat(false);
    if (!state) co_return std::move(state.error());
    if (!state->good()) co_return not_taken(*state);
    if (!state->fenced) co_return Result<void>();
    co_await env_.loop.sleep(kSoon);
  }
}

Task<void> Membership::run() {
  host::WaitSet changes(env_.loop);
  changes.watch(stop_);
  bool told = false;
  while (!stopping_) {
    co_await changes.wait_until(env_.loop.now() + config_.heartbeat);
    if (stopping_) co_return;
    Result<metadata::BrokerState> state = co_await beat(false);
    bool heard = state && state->good();
    if (!heard && !told)
      MOLDAU_LOG_WARN(logger_, "the controller does not take our heartbeat: {}",
                      state ? state->text : state.error().to_string());
    told = !heard;
  }
}

void Membership::stop() {
  stopping_ = true;
  stop_.raise();
}

Task<Result<void>> Membership::leave() {
  stop();
  if (epoch_ < 0) co_return Result<void>();
  for (int beats = 1;; beats++) {
    Result<metadata::BrokerState> state = co_await beat(true);
    if (!state) co_return std::move(state.error());
    if (!state->good()) co_return not_taken(*state);
    if (state->may_stop) co_return Result<void>();
    // What we led has moved by now; others have to hear of it.
    if (beats > 1 || metadata_.image()->brokers->size() > 1) co_await env_.loop.sleep(kSoon);
  }
}

}  // namespace moldau::broker
