#include "base/result.h"

#include <fmt/format.h>

namespace moldau {

std::string_view errc_name(Errc code) {
  switch (code) {
    case Errc::closed:
      return "closed";
    case Errc::cancelled:
      return "cancelled";
    case Errc::timed_out:
      return "timed_out";
    case Errc::reset:
      return "reset";
    case Errc::refused:
      return "refused";
    case Errc::unreachable:
      return "unreachable";
    case Errc::address_in_use:
      return "address_in_use";
    case Errc::not_found:
      return "not_found";
    case Errc::already_exists:
      return "already_exists";
    case Errc::invalid:
      return "invalid";
    case Errc::truncated:
      return "truncated";
    case Errc::corrupt:
      return "corrupt";
    case Errc::too_large:
      return "too_large";
    case Errc::out_of_range:
      return "out_of_range";
    case Errc::unsupported:
      return "unsupported";
    case Errc::no_space:
      return "no_space";
    case Errc::exhausted:
      return "exhausted";
    case Errc::permission:
      return "permission";
    case Errc::io:
      return "io";
    case Errc::offline:
      return "offline";
    case Errc::busy:
      return "busy";
    case Errc::out_of_sequence:
      return "out_of_sequence";
    case Errc::producer_fenced:
      return "producer_fenced";
    case Errc::coordinator_fenced:
      return "coordinator_fenced";
    case Errc::wrong_transaction_state:
      return "wrong_transaction_state";
  }
  return "?";
}

std::string Error::to_string() const {
  return text_.empty() ? std::string(errc_name(code_))
                       : fmt::format("{}: {}", errc_name(code_), text_);
}

Error Error::in(std::string_view context) && {
  text_ = text_.empty() ? std::string(context) : fmt::format("{}: {}", context, text_);
  return std::move(*this);
}

}  // namespace moldau
