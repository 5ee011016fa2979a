// What becomes of the partitions when a broker goes, comes, or is gone for good: leaders, in-sync
// sets and epochs as Kafka's controller changes them. Pure.
#pragma once
#include "metadata/controller/decision.h"

namespace moldau::metadata {

constexpr int32_t kNobody = -1;

// It was fenced, stops, is unregistered, or begins anew after a clean stop: it leaves every in-sync
// set of more than it and leads nothing.
void broker_leaves(const View& view, int32_t broker, Records& out);
// It begins anew, and what it had promised may be lost: it is in no in-sync set and not eligible.
void broker_lost_data(const View& view, int32_t broker, Records& out);
// It takes part from here on: partitions without a leader may have one.
void broker_comes(const View& view, int32_t broker, Records& out);
// These directories of it do not work any more.
void directories_fail(const View& view, int32_t broker, const std::vector<Uuid>& failed,
                      Records& out);
bool leads_something(const Image& image, int32_t broker);

}  // namespace moldau::metadata
