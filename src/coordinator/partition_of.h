// Which partition of an internal topic keeps a group (or a transactional id): the one that every
// broker and every Kafka before us would choose.
#pragma once
#include <cstdint>
#include <string_view>

namespace moldau::coordinator {

// Java's hash of the text as a String: over UTF-16. What is not UTF-8 counts as U+FFFD.
int32_t java_hash(std::string_view utf8);
// partitions > 0.
int32_t partition_of(std::string_view name, int32_t partitions);

}  // namespace moldau::coordinator
