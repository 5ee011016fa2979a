// Prometheus' text format (0.0.4): families of samples, each family once with its type and its
// help. Pure.
#pragma once
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace moldau::broker {

class PrometheusText {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // What follows belongs to it. type: counter, gauge, histogram.
  void family(std::string_view name, std::string_view type, std::string_view help);
  // Of the family; suffix: "_bucket" and so on.
  template <class T>
    requires std::integral<T> || std::floating_point<T>
  void sample(Labels labels, T value, std::string_view suffix = {}) {
    if constexpr (std::floating_point<T>)
      add(labels, number(value), suffix);
    else
      add(labels, std::to_string(value), suffix);
  }
  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  static std::string number(double value);
  void add(Labels labels, std::string_view value, std::string_view suffix);
  std::string text_;
  std::string name_;
};

}  // namespace moldau::broker
