#include "broker/errors.h"

namespace moldau::broker {

wire::ErrorCode to_kafka(const Error& error) {
  using wire::ErrorCode;
  switch (error.code()) {
    case Errc::timed_out:
      return ErrorCode::request_timed_out;
    case Errc::out_of_range:
      return ErrorCode::offset_out_of_range;
    case Errc::not_found:
    case Errc::closed:
    case Errc::cancelled:
      return ErrorCode::unknown_topic_or_partition;  // deleted, or on its way out
    case Errc::already_exists:
      return ErrorCode::topic_already_exists;
    case Errc::invalid:
      return ErrorCode::invalid_record;
    case Errc::truncated:
      return ErrorCode::invalid_record;
    case Errc::too_large:
      return ErrorCode::message_too_large;
    case Errc::unsupported:
      return ErrorCode::unsupported_for_message_format;
    case Errc::corrupt:
      return ErrorCode::corrupt_message;
    case Errc::no_space:
    case Errc::exhausted:
    case Errc::io:
    case Errc::permission:
    case Errc::offline:
    case Errc::busy:
      return ErrorCode::kafka_storage_error;
    case Errc::out_of_sequence:
      return ErrorCode::out_of_order_sequence_number;
    case Errc::producer_fenced:
      return ErrorCode::invalid_producer_epoch;
    case Errc::coordinator_fenced:
      return ErrorCode::transaction_coordinator_fenced;
    case Errc::wrong_transaction_state:
      return ErrorCode::invalid_txn_state;
    case Errc::refused:
      return ErrorCode::not_controller;
    case Errc::reset:
    case Errc::unreachable:
    case Errc::address_in_use:
      break;
  }
  return ErrorCode::unknown_server_error;
}

}  // namespace moldau::broker
