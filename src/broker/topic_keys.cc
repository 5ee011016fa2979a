#include "broker/topic_keys.h"

#include <algorithm>

namespace moldau::broker {

namespace {

using enum KeyType;

// clang-format off
constexpr TopicKey kKeys[] = {
    {"cleanup.policy", list, "delete", choice("compact,delete"), "log.cleanup.policy"},
    {"compression.gzip.level", i32, "-1", level(9), "compression.gzip.level"},
    {"compression.lz4.level", i32, "9", range(1, 17), "compression.lz4.level"},
    {"compression.type", text, "producer", choice("uncompressed,zstd,lz4,snappy,gzip,producer"), "compression.type"},
    {"compression.zstd.level", i32, "3", range(-131072, 22), "compression.zstd.level"},
    {"delete.retention.ms", i64, "86400000", from(0), "log.cleaner.delete.retention.ms"},
    {"file.delete.delay.ms", i64, "60000", from(0), "log.segment.delete.delay.ms"},
    {"flush.messages", i64, "9223372036854775807", from(1), "log.flush.interval.messages"},
    {"flush.ms", i64, "9223372036854775807", from(0), "log.flush.interval.ms,log.flush.scheduler.interval.ms"},
    {"follower.replication.throttled.replicas", list, "", kReplicas, ""},
    {"index.interval.bytes", i32, "4096", from(0), "log.index.interval.bytes"},
    {"internal.segment.bytes", i32, nullptr, {}, "", true},
    {"leader.replication.throttled.replicas", list, "", kReplicas, ""},
    {"local.retention.bytes", i64, "-2", from(-2), "log.local.retention.bytes"},
    {"local.retention.ms", i64, "-2", from(-2), "log.local.retention.ms"},
    {"max.compaction.lag.ms", i64, "9223372036854775807", from(1), "log.cleaner.max.compaction.lag.ms"},
    {"max.message.bytes", i32, "1048588", from(0), "message.max.bytes"},
    {"message.timestamp.after.max.ms", i64, "3600000", from(0), "log.message.timestamp.after.max.ms"},
    {"message.timestamp.before.max.ms", i64, "9223372036854775807", from(0), "log.message.timestamp.before.max.ms"},
    {"message.timestamp.type", text, "CreateTime", choice("CreateTime,LogAppendTime"), "log.message.timestamp.type"},
    {"min.cleanable.dirty.ratio", f64, "0.5", range(0, 1), "log.cleaner.min.cleanable.ratio"},
    {"min.compaction.lag.ms", i64, "0", from(0), "log.cleaner.min.compaction.lag.ms"},
    {"min.insync.replicas", i32, "1", from(1), "min.insync.replicas"},
    {"preallocate", boolean, "false", {}, "log.preallocate"},
    {"remote.log.copy.disable", boolean, "false", {}, ""},
    {"remote.log.delete.on.disable", boolean, "false", {}, ""},
    {"remote.storage.enable", boolean, "false", {}, ""},
    {"retention.bytes", i64, "-1", {}, "log.retention.bytes"},
    {"retention.ms", i64, "604800000", from(-1), "log.retention.ms,log.retention.minutes,log.retention.hours"},
    {"segment.bytes", i32, "1073741824", from(1048576), "log.segment.bytes"},
    {"segment.index.bytes", i32, "10485760", from(4), "log.index.size.max.bytes"},
    {"segment.jitter.ms", i64, "0", from(0), "log.roll.jitter.ms,log.roll.jitter.hours"},
    {"segment.ms", i64, "604800000", from(1), "log.roll.ms,log.roll.hours"},
    {"unclean.leader.election.enable", boolean, "false", {}, "unclean.leader.election.enable"},
};
// clang-format on

}  // namespace

std::span<const TopicKey> topic_keys() { return kKeys; }

const TopicKey* find_topic_key(std::string_view name) {
  auto at = std::ranges::lower_bound(kKeys, name, {}, &TopicKey::name);
  return at != std::end(kKeys) && at->name == name ? &*at : nullptr;
}

}  // namespace moldau::broker
