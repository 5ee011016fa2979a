// Finding keys, and checking what is written behind them.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "broker/broker_keys.h"

namespace moldau::broker {

namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f";
  size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool among(std::string_view word, const KeyDomain& domain) {
  std::string_view rest = domain.choices;
  for (;;) {
    size_t comma = rest.find(',');
    std::string_view one = rest.substr(0, comma);
    if (domain.kind == KeyDomain::Kind::any_case ? same_letters(one, word) : one == word)
      return true;
    if (comma == rest.npos) return false;
    rest = rest.substr(comma + 1);
  }
}

Error takes(std::string what) { return fail(Errc::invalid, "it takes " + std::move(what)); }

struct Bounds {
  double least, most;
};
Bounds bounds_of(KeyType type) {
  switch (type) {
    case KeyType::i16:
      return {std::numeric_limits<int16_t>::min(), std::numeric_limits<int16_t>::max()};
    case KeyType::i32:
      return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
    case KeyType::i64:
      return {-0x1p63, 0x1p63};
    default:
      return {-std::numeric_limits<double>::max(), std::numeric_limits<double>::max()};
  }
}

std::string between(const KeyDomain& domain, Bounds type, bool whole) {
  const char* number = whole ? "a whole number" : "a number";
  if (domain.kind == KeyDomain::Kind::level)
    return fmt::format("{} from 1 to {}, or -1", number, domain.most);
  bool least = domain.kind == KeyDomain::Kind::range;
  bool most = least && !std::isinf(domain.most);
  if (most) return fmt::format("{} from {} to {}", number, domain.least, domain.most);
  if (least) return fmt::format("{} from {} on", number, domain.least);
  if (whole && type.most < 0x1p62)
    return fmt::format("{} from {:.0f} to {:.0f}", number, type.least, type.most);
  return number;
}

template <class T>
bool parse(std::string_view text, T& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

Result<void> check_number(const BrokerKey& key, std::string_view text) {
  bool whole = key.type != KeyType::f64;
  Bounds type = bounds_of(key.type);
  int64_t number = 0;
  double value = 0;
  bool good = whole ? parse(text, number) : parse(text, value);
  if (whole) value = static_cast<double>(number);
  good = good && value >= type.least && value <= type.most;
  const KeyDomain& domain = key.domain;
  if (domain.kind == KeyDomain::Kind::range)
    good = good && value >= domain.least && value <= domain.most;
  if (domain.kind == KeyDomain::Kind::level)
    good = good && (value == -1 || (value >= 1 && value <= domain.most));
  if (!good) return takes(between(domain, type, whole));
  return {};
}

Result<void> check_choices(const BrokerKey& key, std::string_view text) {
  bool list = key.type == KeyType::list;
  std::string_view rest = text;
  while (!rest.empty() || !list) {
    size_t comma = list ? rest.find(',') : rest.npos;
    if (!among(trim(rest.substr(0, comma)), key.domain))
      return takes(fmt::format("{} of {}", list ? "some" : "one", key.domain.choices));
    if (comma == rest.npos) break;
    rest = rest.substr(comma + 1);
  }
  return {};
}

}  // namespace

const BrokerKey* find_broker_key(std::string_view name) {
  auto keys = broker_keys();
  auto at = std::ranges::lower_bound(keys, name, {}, &BrokerKey::name);
  return at != keys.end() && at->name == name ? &*at : nullptr;
}

Result<void> check_value(const BrokerKey& key, std::string_view text) {
  text = trim(text);
  switch (key.type) {
    case KeyType::boolean:
      if (!same_letters(text, "true") && !same_letters(text, "false"))
        return takes("true or false");
      return {};
    case KeyType::i16:
    case KeyType::i32:
    case KeyType::i64:
    case KeyType::f64:
      return check_number(key, text);
    default:
      break;
  }
  if (key.domain.kind == KeyDomain::Kind::choice || key.domain.kind == KeyDomain::Kind::any_case)
    return check_choices(key, text);
  if (key.domain.kind == KeyDomain::Kind::not_empty && text.empty())
    return takes("a value that is not empty");
  return {};
}

}  // namespace moldau::broker
