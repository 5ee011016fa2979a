// Random valid messages for tests, fuzz targets and comparisons with Kafka's own classes.
#pragma once
#include "base/arena.h"
#include "base/random.h"
#include "wire/info.h"

namespace moldau::wire {

// Makes a message in the arena. Fields of the version get random values, null where it is allowed,
// tagged and unknown tagged fields now and then; fields that the version has not got keep their
// defaults, so that the message equals what decoding its encoding gives.
const void* make_random(const MessageInfo& info, int16_t version, Random& random, Arena& arena);
// A message with all fields at their defaults, to be decoded into.
void* make_default(const MessageInfo& info, Arena& arena);

}  // namespace moldau::wire
