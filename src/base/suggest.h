// The name that somebody probably meant, for messages about one that does not exist.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace moldau {

// Insertions, deletions, replacements and swaps of neighbours that turn a into b, none twice at the
// same place (optimal string alignment); limit + 1 if that takes more than limit.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit);

// The known name closest to word, the first of several; none if all differ in more than a third of
// the letters. Upper and lower case are the same here.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> known);

// "unknown key X (server.properties:12); did you mean Y?", or without the question. what: "key",
// "topic setting".
std::string unknown_name(std::string_view what, std::string_view name, std::string_view source,
                         std::span<const std::string_view> known);

}  // namespace moldau
