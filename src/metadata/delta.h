// What a run of metadata records changes in an image. Pure.
#pragma once
#include <cstdint>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "metadata/image.h"
#include "metadata/record.h"

namespace moldau::metadata {

// Which parts differ from the base: what a broker has to look at.
struct Changes {
  bool features = false;
  std::set<BrokerId> brokers;  // registered, changed, or gone
  std::set<BrokerId> controllers;
  std::set<Uuid> topics;   // created, changed, or gone
  std::set<Uuid> removed;  // those among them that were in the base and are gone
  std::set<ConfigResource> configs;
  bool quotas = false, scram = false, tokens = false, acls = false, producer_ids = false;
};

class Delta {
 public:
  explicit Delta(Image base) : image_(std::move(base)) {}
  // One record. Errors: truncated, invalid, unsupported (of the record); corrupt (it is about a
  // broker or a topic that is not there): then this log and we do not mean the same thing, and
  // nothing of the delta may be used.
  Result<void> replay(Bytes value);
  const Changes& changes() const { return changes_; }
  // As of the records so far.
  const Image& image() const { return image_; }
  Image finish(const Position& at);

 private:
  Result<void> replay_cluster(const RecordHead& head);
  Result<void> replay_topic(const RecordHead& head);
  Result<void> replay_rest(const RecordHead& head);

  Result<void> register_broker(const RecordHead& head);
  Result<void> change_broker(const RecordHead& head);
  Result<void> fence(const RecordHead& head, bool fenced);
  Result<void> unregister_broker(const RecordHead& head);
  Result<void> register_controller(const RecordHead& head);
  Result<void> unregister_controller(const RecordHead& head);
  Result<void> feature_level(const RecordHead& head);
  Result<void> topic(const RecordHead& head);
  Result<void> remove_topic(const RecordHead& head);
  Result<void> partition(const RecordHead& head);
  Result<void> change_partition(const RecordHead& head);
  Result<void> clear_elr(const RecordHead& head);
  Result<void> config(const RecordHead& head);
  Result<void> quota(const RecordHead& head);
  Result<void> scram(const RecordHead& head);
  Result<void> remove_scram(const RecordHead& head);
  Result<void> token(const RecordHead& head);
  Result<void> remove_token(const RecordHead& head);
  Result<void> acl(const RecordHead& head);
  Result<void> remove_acl(const RecordHead& head);
  Result<void> producer_ids(const RecordHead& head);

  Result<Broker*> find_broker(int32_t id, int64_t epoch, const char* record);
  Result<Topic*> edit_topic(const Uuid& id, const char* record);

  // The part, as our own copy: made the first time.
  template <class T>
  static T& edit(std::shared_ptr<const T>& part, bool& mine) {
    if (mine) return const_cast<T&>(*part);
    auto copy = std::make_unique<T>(*part);
    T& own = *copy;
    part = std::move(copy);
    mine = true;
    return own;
  }
  Features& features() { return edit(image_.features, own_.features); }
  Brokers& brokers() { return edit(image_.brokers, own_.brokers); }
  Controllers& controllers() { return edit(image_.controllers, own_.controllers); }
  Topics& topics() { return edit(image_.topics, own_.topics); }
  Configs& configs() { return edit(image_.configs, own_.configs); }
  Quotas& quotas() { return edit(image_.quotas, own_.quotas); }
  Scram& users() { return edit(image_.scram, own_.scram); }
  DelegationTokens& tokens() { return edit(image_.tokens, own_.tokens); }
  Acls& acls() { return edit(image_.acls, own_.acls); }

  Image image_;
  Changes changes_;
  // Parts that nobody else has: made here.
  struct Own {
    bool features = false, brokers = false, controllers = false, topics = false, configs = false,
         quotas = false, scram = false, tokens = false, acls = false;
    std::set<Uuid> each_topic;
  };
  Own own_;
  std::unique_ptr<Arena> arena_ = std::make_unique<Arena>();  // of the record at hand
};

}  // namespace moldau::metadata
