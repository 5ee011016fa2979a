#include "broker/monitoring/prometheus_text.h"

#include <fmt/format.h>

namespace moldau::broker {

void PrometheusText::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

std::string PrometheusText::number(double value) { return fmt::format("{}", value); }

void PrometheusText::add(Labels labels, std::string_view value, std::string_view suffix) {
  text_ += name_;
  text_ += suffix;
  char between = '{';
  for (const auto& [name, text] : labels) {
    text_ += between;
    between = ',';
    text_ += name;
    text_ += "=\"";
    for (char c : text) {
      if (c == '\\' || c == '"') text_ += '\\';
      if (c == '\n')
        text_ += "\\n";
      else
        text_ += c;
    }
    text_ += '"';
  }
  if (between == ',') text_ += '}';
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

}  // namespace moldau::broker
