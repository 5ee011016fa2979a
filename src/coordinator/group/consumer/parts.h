// Sets of partitions, as the consumer group protocol speaks of them: topics go by id.
#pragma once
#include <cstdint>
#include <map>
#include <set>

#include "base/ids.h"

namespace moldau::coordinator::group {

using Parts = std::map<Uuid, std::set<int32_t>>;
// Each partition with the epoch in which its member got it.
using EpochParts = std::map<Uuid, std::map<int32_t, int32_t>>;

// No topic without partitions in any of them.
Parts without_epochs(const EpochParts& parts);
bool contains(const Parts& parts, const Uuid& topic, int32_t partition);
// nullptr: not among them.
const int32_t* epoch_of(const EpochParts& parts, const Uuid& topic, int32_t partition);
bool is_subset(const Parts& some, const EpochParts& all);
bool intersect(const Parts& one, const EpochParts& other);
size_t count(const Parts& parts);

}  // namespace moldau::coordinator::group
