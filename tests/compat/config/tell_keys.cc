// Our tables of the broker's settings and of the topics', a line each as BrokerKeys.java prints
// Kafka's.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "broker/broker_keys.h"
#include "broker/topic_keys.h"

namespace moldau::broker {
namespace {

std::string spaced(std::string_view choices) {
  std::string out;
  for (char c : choices) out += c == ',' ? ", " : std::string(1, c);
  return out;
}

std::string takes(KeyType type, const KeyDomain& domain) {
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
      return type == KeyType::list ? "non-empty list" : "non-empty string";
    case KeyDomain::Kind::not_null:
      return "non-null string";
    case KeyDomain::Kind::replicas:
      return "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
  }
  return "";
}

template <class Key>
void tell(std::string_view of, const Key& key, std::string_view more) {
  fmt::print("{} {}\t{}\t{}\t{}\t{}\t{}\n", of, key.name, type_name(key.type),
             key.standard ? key.standard : "(null)", takes(key.type, key.domain), more,
             key.internal ? "internal" : "");
}

void tell_all() {
  constexpr const char* kModes[] = {"read-only", "per-broker", "cluster-wide"};
  for (const BrokerKey& key : broker_keys())
    tell("broker", key, kModes[static_cast<size_t>(key.update)]);
  for (const TopicKey& key : topic_keys()) tell("topic", key, key.synonyms);
}

}  // namespace
}  // namespace moldau::broker

int main() { moldau::broker::tell_all(); }
