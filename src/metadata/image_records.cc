// An image as the records of a snapshot.
#include <algorithm>

#include "metadata/entity_records.h"
#include "metadata/record.h"
#include "wire/messages/access_control_entry_record.h"
#include "wire/messages/delegation_token_record.h"
#include "wire/messages/user_scram_credential_record.h"

namespace moldau::metadata {

namespace {

class Out {
 public:
  explicit Out(const Image& image) : image_(image), level_(image) {}
  Records run();

 private:
  template <class M>
  void put(const M& message) {
    out_.push_back(write_record(message, 0));
  }
  void put_features();
  void put_cluster();
  void put_topics();
  void put_configs();
  void put_quotas();
  void put_users();
  void put_acls();

  const Image& image_;
  const RecordLevel level_;
  Records out_;
};

// metadata.version first: it says how to read the rest.
void Out::put_features() {
  constexpr const char* kVersion = "metadata.version";
  if (image_.features->contains(kVersion))
    out_.push_back(feature_record(kVersion, level_.metadata_version));
  for (const auto& [name, level] : *image_.features)
    if (name != kVersion) out_.push_back(feature_record(name, level));
}

void Out::put_cluster() {
  for (const auto& [id, broker] : *image_.brokers) out_.push_back(broker_record(broker, level_));
  for (const auto& [id, controller] : *image_.controllers)
    out_.push_back(controller_record(controller));
}

void Out::put_topics() {
  for (const auto& [name, id] : image_.topics->by_name) {
    out_.push_back(topic_record(name, id));
    for (const auto& [index, partition] : image_.topics->by_id.at(id)->partitions)
      out_.push_back(partition_record(id, index, partition, level_));
  }
}

void Out::put_configs() {
  for (const auto& [resource, settings] : *image_.configs)
    for (const auto& [name, value] : settings) out_.push_back(config_record(resource, name, value));
}

void Out::put_quotas() {
  for (const auto& [entity, values] : *image_.quotas)
    for (const auto& [key, value] : values) out_.push_back(quota_record(entity, key, value));
  if (image_.next_producer_id >= 0)
    out_.push_back(producer_ids_record(BrokerId(-1), -1, image_.next_producer_id));
}

void Out::put_users() {
  for (const auto& [user, credential] : *image_.scram) {
    wire::UserScramCredentialRecord record;
    record.name = user.name;
    record.mechanism = user.mechanism;
    record.salt = credential.salt;
    record.stored_key = credential.stored_key;
    record.server_key = credential.server_key;
    record.iterations = credential.iterations;
    put(record);
  }
  for (const auto& [id, token] : *image_.tokens) {
    std::vector<std::string_view> renewers(token.renewers.begin(), token.renewers.end());
    wire::DelegationTokenRecord record;
    record.owner = token.owner;
    record.requester = token.requester;
    record.renewers = wire::Array<std::string_view>(renewers.data(), renewers.size());
    record.issue_timestamp = token.issued_millis;
    record.max_timestamp = token.max_millis;
    record.expiration_timestamp = token.expires_millis;
    record.token_id = id;
    put(record);
  }
}

void Out::put_acls() {
  for (const auto& [id, acl] : *image_.acls) {
    wire::AccessControlEntryRecord record;
    record.id = id;
    record.resource_type = acl.resource_type;
    record.resource_name = acl.resource_name;
    record.pattern_type = acl.pattern_type;
    record.principal = acl.principal;
    record.host = acl.host;
    record.operation = acl.operation;
    record.permission_type = acl.permission;
    put(record);
  }
}

Records Out::run() {
  put_features();
  put_cluster();
  put_topics();
  put_configs();
  put_quotas();
  put_users();
  put_acls();
  return std::move(out_);
}

}  // namespace

std::vector<std::vector<uint8_t>> image_records(const Image& image) { return Out(image).run(); }

}  // namespace moldau::metadata
