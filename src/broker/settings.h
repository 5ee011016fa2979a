// Kafka's names and rules for the settings of a broker that concern its logs: from text, as flags
// and properties give them, into a BrokerConfig.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/config.h"

namespace moldau::broker {

// By name. Of log.retention.hours, .minutes and .ms the finest that is given counts, as of
// log.roll.* too. Errors: invalid (an unknown name, a value that does not fit), and nothing of
// `config` is sure.
Result<void> apply_settings(const std::map<std::string, std::string>& settings,
                            BrokerConfig& config);

// The names that it knows.
std::vector<std::string_view> setting_names();

}  // namespace moldau::broker
