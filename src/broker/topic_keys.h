// Every setting of a topic of Apache Kafka 4.3.1, as Kafka declares it, with the broker's settings
// that it goes by where a topic says nothing. ./dev compat config compares the table with Kafka's.
#pragma once
#include <span>
#include <string_view>

#include "broker/config_key.h"

namespace moldau::broker {

struct TopicKey {
  std::string_view name;
  KeyType type;
  const char* standard;  // the default; nullptr: null
  KeyDomain domain;
  // Of the broker, with commas, the one that counts most first; in hours and minutes where the name
  // says so. Empty: there is none.
  std::string_view synonyms;
  bool internal = false;  // shown only where it is set
  std::string_view first_synonym() const { return synonyms.substr(0, synonyms.find(',')); }
};

std::span<const TopicKey> topic_keys();  // by name
const TopicKey* find_topic_key(std::string_view name);

}  // namespace moldau::broker
