#include "base/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace moldau {
namespace {

constexpr size_t kLongestWord = 200;  // nobody mistyped more than that; bounds the work
constexpr size_t kMostEdits = 8;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool swapped(std::string_view a, std::string_view b, size_t i, size_t j) {
  return i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  // Rows of the table of distances between the first i letters of a and the first j of b.
  std::vector<size_t> two_before(b.size() + 1), before(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    std::swap(two_before, before);
    std::swap(before, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      size_t replaced = before[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, replaced});
      if (swapped(a, b, i, j)) row[j] = std::min(row[j], two_before[j - 2] + 1);
    }
    // A swap reaches back two rows, so one hopeless row does not end it; two do.
    if (std::ranges::min(row) > limit && std::ranges::min(before) > limit) return limit + 1;
  }
  return std::min(row[b.size()], limit + 1);
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> known) {
  if (word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string_view> best;
  size_t limit = std::clamp<size_t>(word.size() / 3, 1, kMostEdits);
  for (std::string_view name : known) {
    size_t distance = edit_distance(word, name, limit);
    if (distance > limit) continue;
    best = name;
    if (distance == 0) break;
    limit = distance - 1;  // only a closer one replaces it
  }
  return best;
}

std::string unknown_name(std::string_view what, std::string_view name, std::string_view source,
                         std::span<const std::string_view> known) {
  std::optional<std::string_view> meant = nearest(name, known);
  std::string text = fmt::format("unknown {} {} ({})", what, name, source);
  return meant ? fmt::format("{}; did you mean {}?", text, *meant) : text;
}

}  // namespace moldau
