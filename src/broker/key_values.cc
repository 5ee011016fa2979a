// Finding keys, and checking what is written behind them.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "broker/broker_keys.h"
#include "broker/config_key.h"

namespace moldau::broker {

namespace {

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

struct Number {
  bool good = false;  // it is one of that type
  double value = 0;
};
Number read_number(KeyType of, std::string_view text) {
  bool whole = of != KeyType::f64;
  Bounds type = bounds_of(of);
  int64_t number = 0;
  double value = 0;
  bool good = whole ? parse(text, number) : parse(text, value);
  if (whole) value = static_cast<double>(number);
  return {good && value >= type.least && value <= type.most, value};
}

Result<void> check_number(KeyType of, const KeyDomain& domain, std::string_view text) {
  auto [good, value] = read_number(of, text);
  if (domain.kind == KeyDomain::Kind::range)
    good = good && value >= domain.least && value <= domain.most;
  if (domain.kind == KeyDomain::Kind::level)
    good = good && (value == -1 || (value >= 1 && value <= domain.most));
  if (!good) return takes(between(domain, bounds_of(of), of != KeyType::f64));
  return {};
}

// Those of a list, or the one.
std::vector<std::string_view> words_of(KeyType type, std::string_view text) {
  std::vector<std::string_view> words;
  bool list = type == KeyType::list;
  if (list && text.empty()) return words;
  for (;;) {
    size_t comma = list ? text.find(',') : text.npos;
    words.push_back(trimmed(text.substr(0, comma)));
    if (comma == text.npos) return words;
    text = text.substr(comma + 1);
  }
}

Result<void> check_choices(KeyType type, const KeyDomain& domain, std::string_view text) {
  for (std::string_view word : words_of(type, text))
    if (!among(word, domain))
      return takes(fmt::format("{} of {}", type == KeyType::list ? "some" : "one", domain.choices));
  return {};
}

bool is_replica(std::string_view word) {
  size_t colon = word.find(':');
  if (colon == word.npos) return false;
  return read_number(KeyType::i32, word.substr(0, colon)).good &&
         read_number(KeyType::i32, word.substr(colon + 1)).good;
}

Result<void> check_replicas(std::string_view text) {
  if (text == "*") return {};
  for (std::string_view word : words_of(KeyType::list, text))
    if (!is_replica(word)) return takes("*, or a list of <partition>:<broker>");
  return {};
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f";
  size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::vector<std::string> list_words(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view word : words_of(KeyType::list, text))
    if (!word.empty()) words.emplace_back(word);
  return words;
}

const BrokerKey* find_broker_key(std::string_view name) {
  auto keys = broker_keys();
  auto at = std::ranges::lower_bound(keys, name, {}, &BrokerKey::name);
  return at != keys.end() && at->name == name ? &*at : nullptr;
}

const char* type_name(KeyType type) {
  constexpr const char* kNames[] = {"BOOLEAN", "SHORT", "INT",      "LONG", "DOUBLE",
                                    "STRING",  "LIST",  "PASSWORD", "CLASS"};
  return kNames[static_cast<size_t>(type)];
}

Result<void> check_value(KeyType type, const KeyDomain& domain, std::string_view text) {
  text = trimmed(text);
  using enum KeyDomain::Kind;
  switch (type) {
    case KeyType::boolean:
      if (!same_letters(text, "true") && !same_letters(text, "false"))
        return takes("true or false");
      return {};
    case KeyType::i16:
    case KeyType::i32:
    case KeyType::i64:
    case KeyType::f64:
      return check_number(type, domain, text);
    default:
      break;
  }
  if (domain.kind == choice || domain.kind == any_case) return check_choices(type, domain, text);
  if (domain.kind == replicas) return check_replicas(text);
  if (domain.kind == not_empty && text.empty()) return takes("a value that is not empty");
  return {};
}

namespace {

// Java prints a whole double with a fraction.
std::string java_number(KeyType type, double value) {
  bool fraction = type == KeyType::f64 && value == std::floor(value) && std::abs(value) < 1e7;
  return fmt::format("{}{}", value, fraction ? ".0" : "");
}

std::string number_fault(std::string_view name, KeyType type, const KeyDomain& domain,
                         std::string_view text) {
  Number number = read_number(type, trimmed(text));
  if (!number.good)
    return fmt::format("Invalid value {} for configuration {}: Not a number of type {}", text, name,
                       type_name(type));
  std::string start = fmt::format("Invalid value {} for configuration {}: Value must be ",
                                  java_number(type, number.value), name);
  if (domain.kind == KeyDomain::Kind::level)
    return start + fmt::format("between 1 and {} or equal to -1", domain.most);
  if (number.value < domain.least) return start + fmt::format("at least {}", domain.least);
  return start + fmt::format("no more than {}", domain.most);
}

std::string spaced(std::string_view choices) {
  std::string out;
  for (char c : choices) out += c == ',' ? ", " : std::string(1, c);
  return out;
}

}  // namespace

std::string value_fault(std::string_view name, KeyType type, const KeyDomain& domain,
                        std::string_view text) {
  if (check_value(type, domain, text)) return {};
  constexpr std::string_view kStart = "Invalid value {} for configuration {}: {}";
  if (type == KeyType::boolean)
    return fmt::format(kStart, text, name, "Expected value to be either true or false");
  if (type <= KeyType::f64) return number_fault(name, type, domain, text);
  if (domain.kind == KeyDomain::Kind::replicas)
    return fmt::format(
        "Invalid value [{}] for configuration {}: {} must be the literal '*' or a list of replicas "
        "in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
        fmt::join(words_of(type, text), ", "), name, name);
  for (std::string_view word : words_of(type, text))
    if (!among(word, domain))
      return fmt::format(kStart, word, name, "String must be one of: " + spaced(domain.choices));
  return fmt::format(kStart, text, name, "it may not be empty");
}

std::string shown_value(KeyType type, std::string_view text) {
  if (type == KeyType::list)
    return fmt::format("{}", fmt::join(words_of(type, trimmed(text)), ","));
  if (type == KeyType::f64) {
    Number number = read_number(type, trimmed(text));
    return number.good ? java_number(type, number.value) : std::string(text);
  }
  std::string out(type <= KeyType::i64 ? trimmed(text) : text);
  if (type == KeyType::boolean)
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace moldau::broker
