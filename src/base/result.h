// Result<T>: a value or an Error. Expected failures travel as values; nothing of ours throws.
// An error code exists only if some caller acts on it; the text is for people: cause, place, fix.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace moldau {

enum class Errc : uint8_t {
  closed,                   // the peer or the object has been closed in order
  cancelled,                // we closed it ourselves, or are stopping
  timed_out,                // the deadline passed first
  reset,                    // the connection broke
  refused,                  // nobody listens there
  unreachable,              // no route, or the name does not resolve
  address_in_use,           // another process listens there
  not_found,                // no such file, topic, partition, key
  already_exists,           //
  invalid,                  // malformed input: a value out of its domain
  truncated,                // input ends before its own length says so
  corrupt,                  // a checksum or an invariant of stored bytes does not hold
  too_large,                // above a limit; the text names the limit
  out_of_range,             // an offset outside the log
  unsupported,              // a version or feature that is not served
  no_space,                 // ENOSPC, EDQUOT: try again later
  exhausted,                // EMFILE and friends: out of handles or memory budget
  permission,               // EACCES, EPERM, EROFS
  io,                       // the disk failed: take its directory offline
  offline,                  // the log directory is offline
  busy,                     // held by another process (a lock)
  out_of_sequence,          // a producer's batch does not follow the one before
  producer_fenced,          // a newer producer epoch has been seen
  coordinator_fenced,       // a newer coordinator epoch has been seen
  wrong_transaction_state,  // a batch inside of a transaction that should not be, or the reverse
};
std::string_view errc_name(Errc code);

class [[nodiscard]] Error {
 public:
  explicit Error(Errc code, std::string text = {}) : code_(code), text_(std::move(text)) {}
  Errc code() const { return code_; }
  const std::string& text() const { return text_; }
  // "not_found: no such file: data/topics"
  std::string to_string() const;
  // Adds the place: fail(e.in("reading meta.properties")).
  Error in(std::string_view context) &&;

 private:
  Errc code_;
  std::string text_;
};

template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result(Error error) : std::expected<T, Error>(std::unexpect, std::move(error)) {}
};

inline Error fail(Errc code, std::string text = {}) { return Error(code, std::move(text)); }

}  // namespace moldau

#define MOLDAU_CAT2(a, b) a##b
#define MOLDAU_CAT(a, b) MOLDAU_CAT2(a, b)

// TRY(name, expr): declares name as the value of expr, or returns its error. TRY_(expr) for a
// Result<void>.
#define TRY(name, ...)                                                                   \
  auto MOLDAU_CAT(name, _result_) = (__VA_ARGS__);                                       \
  if (!MOLDAU_CAT(name, _result_)) return std::move(MOLDAU_CAT(name, _result_).error()); \
  auto& name = *MOLDAU_CAT(name, _result_)
#define TRY_(...)                                                  \
  do {                                                             \
    auto moldau_result_ = (__VA_ARGS__);                           \
    if (!moldau_result_) return std::move(moldau_result_.error()); \
  } while (false)

// The same inside a coroutine; expr is awaited: CO_TRY(file, disk.open(path)). Its arguments are
// names and scalars (STYLE.md: name it, then await it).
#define CO_TRY(name, ...)                                                                   \
  auto MOLDAU_CAT(name, _result_) = co_await (__VA_ARGS__);                                 \
  if (!MOLDAU_CAT(name, _result_)) co_return std::move(MOLDAU_CAT(name, _result_).error()); \
  auto& name = *MOLDAU_CAT(name, _result_)
#define CO_TRY_(...)                                                  \
  do {                                                                \
    auto moldau_result_ = co_await (__VA_ARGS__);                     \
    if (!moldau_result_) co_return std::move(moldau_result_.error()); \
  } while (false)
// Inside a coroutine, for a Result that is there at once: TRY_CO(body, decode(reader, version)).
#define TRY_CO(name, ...)                                                                   \
  auto MOLDAU_CAT(name, _result_) = (__VA_ARGS__);                                          \
  if (!MOLDAU_CAT(name, _result_)) co_return std::move(MOLDAU_CAT(name, _result_).error()); \
  auto& name = *MOLDAU_CAT(name, _result_)
