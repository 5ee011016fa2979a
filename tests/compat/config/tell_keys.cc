// Our table of the broker's settings, a line each as BrokerKeys.java prints Kafka's.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "broker/broker_keys.h"

namespace moldau::broker {
namespace {

const char* type_name(KeyType type) {
  constexpr const char* kNames[] = {"BOOLEAN", "SHORT", "INT",      "LONG", "DOUBLE",
                                    "STRING",  "LIST",  "PASSWORD", "CLASS"};
  return kNames[static_cast<size_t>(type)];
}

std::string spaced(std::string_view choices) {
  std::string out;
  for (char c : choices) out += c == ',' ? ", " : std::string(1, c);
  return out;
}

std::string takes(const BrokerKey& key) {
  const KeyDomain& domain = key.domain;
  switch (domain.kind) {
    case KeyDomain::Kind::any:
      return "";
    case KeyDomain::Kind::range:
      if (std::isinf(domain.most)) return fmt::format("[{},...]", domain.least);
      return fmt::format("[{},...,{}]", domain.least, domain.most);
    case KeyDomain::Kind::level:
      return fmt::format("[1,...,{}] or -1", domain.most);
    case KeyDomain::Kind::choice:
      return fmt::format("[{}]", spaced(domain.choices));
    case KeyDomain::Kind::any_case:
      return fmt::format("(case insensitive) [{}]", spaced(domain.choices));
    case KeyDomain::Kind::not_empty:
      return key.type == KeyType::list ? "non-empty list" : "non-empty string";
    case KeyDomain::Kind::not_null:
      return "non-null string";
  }
  return "";
}

void tell() {
  constexpr const char* kModes[] = {"read-only", "per-broker", "cluster-wide"};
  for (const BrokerKey& key : broker_keys())
    fmt::print("{}\t{}\t{}\t{}\t{}\n", key.name, type_name(key.type),
               key.standard ? key.standard : "(null)", takes(key),
               kModes[static_cast<size_t>(key.update)]);
}

}  // namespace
}  // namespace moldau::broker

int main() { moldau::broker::tell(); }
