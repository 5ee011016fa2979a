#include "broker/config_entries.h"

namespace moldau::broker {

namespace {

// As the broker would say it of its own key.
std::vector<ConfigSynonym> broker_synonyms(const BrokerConfig& broker, std::string_view name,
                                           const ConfigMap& shared) {
  std::vector<ConfigSynonym> all;
  const BrokerKey* key = find_broker_key(name);
  if (!key) return all;
  auto said = shared.find(std::string(name));
  if (said != shared.end())
    all.push_back(
        {std::string(name), shown_value(key->type, said->second), ConfigSource::all_brokers});
  auto given = broker.given.find(std::string(name));
  if (given != broker.given.end())
    all.push_back(
        {std::string(name), shown_value(key->type, given->second), ConfigSource::static_broker});
  if (key->standard && !key->required())
    all.push_back({std::string(name), key->standard, ConfigSource::standard});
  return all;
}

}  // namespace

std::vector<ConfigEntry> topic_entries(const BrokerConfig& broker, const ConfigMap& own,
                                       const ConfigMap& shared) {
  std::vector<ConfigEntry> all;
  for (const TopicKey& key : topic_keys()) {
    auto mine = own.find(std::string(key.name));
    if (key.internal && mine == own.end()) continue;
    ConfigEntry entry{.name = std::string(key.name), .type = key.type};
    entry.value = broker_value(broker, key);
    entry.synonyms = broker_synonyms(broker, key.first_synonym(), shared);
    bool all_say = !entry.synonyms.empty() && entry.synonyms[0].source == ConfigSource::all_brokers;
    if (all_say) entry.value = entry.synonyms[0].value;
    if (mine != own.end()) {
      entry.value = shown_value(key.type, mine->second);
      entry.synonyms.insert(entry.synonyms.begin(), {entry.name, entry.value, ConfigSource::topic});
    }
    if (!entry.synonyms.empty()) entry.source = entry.synonyms.front().source;
    all.push_back(std::move(entry));
  }
  return all;
}

std::vector<ConfigEntry> shared_entries(const ConfigMap& shared) {
  std::vector<ConfigEntry> all;
  for (const auto& [name, value] : shared) {
    const BrokerKey* key = find_broker_key(name);
    ConfigEntry entry{.name = name, .source = ConfigSource::all_brokers};
    if (key) entry.type = key->type;
    entry.value = key ? shown_value(key->type, value) : value;
    entry.synonyms.push_back({name, entry.value, entry.source});
    all.push_back(std::move(entry));
  }
  return all;
}

std::vector<ConfigEntry> broker_entries(const BrokerConfig& broker, const ConfigMap& shared) {
  std::vector<ConfigEntry> all;
  for (const BrokerKey& key : broker_keys()) {
    if (key.internal) continue;
    ConfigEntry entry{.name = std::string(key.name), .read_only = true, .type = key.type};
    entry.secret = key.type == KeyType::password;
    entry.synonyms = broker_synonyms(broker, key.name, shared);
    if (!entry.synonyms.empty()) {
      entry.value = entry.synonyms.front().value;
      entry.source = entry.synonyms.front().source;
    }
    if (entry.secret) {
      entry.value.reset();
      for (ConfigSynonym& synonym : entry.synonyms) synonym.value.reset();
    }
    all.push_back(std::move(entry));
  }
  return all;
}

int8_t type_number(KeyType type) {
  switch (type) {
    case KeyType::boolean:
      return 1;
    case KeyType::text:
      return 2;
    case KeyType::i32:
      return 3;
    case KeyType::i16:
      return 4;
    case KeyType::i64:
      return 5;
    case KeyType::f64:
      return 6;
    case KeyType::list:
      return 7;
    case KeyType::java_class:
      return 8;
    case KeyType::password:
      return 9;
  }
  return 0;
}

}  // namespace moldau::broker
