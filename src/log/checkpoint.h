// Kafka's checkpoint files: a version line, a count line, one line an entry. Pure.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace moldau::log {

// An offset for each partition directory ("topic-0"), as in recovery-point-offset-checkpoint.
using OffsetCheckpoint = std::map<std::string, Offset, std::less<>>;

std::string encode_offset_checkpoint(const OffsetCheckpoint& points);
// Errors: corrupt; unsupported (a version that is not 0). An empty text holds nothing.
Result<OffsetCheckpoint> decode_offset_checkpoint(std::string_view text);

// The frame that all checkpoint files share: entry lines in, text out, and back.
std::string encode_checkpoint(const std::vector<std::string>& lines);
Result<std::vector<std::string_view>> decode_checkpoint(std::string_view text);
// The whole of text as a number.
Result<int64_t> parse_number(std::string_view text);

}  // namespace moldau::log
