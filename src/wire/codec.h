// The compression codecs of record batches, by their number in the attributes.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace moldau::wire {

enum class Codec : uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };
constexpr int kCodecs = 5;

// As compression.type spells it; three bits can also say 5 to 7, which are none.
std::string_view codec_name(Codec codec);
std::optional<Codec> codec_of_name(std::string_view name);

}  // namespace moldau::wire
