// Settings, feature levels, quotas, users, tokens, access control, producer ids.
#include <fmt/format.h>

#include "metadata/delta.h"
#include "wire/messages/access_control_entry_record.h"
#include "wire/messages/client_quota_record.h"
#include "wire/messages/config_record.h"
#include "wire/messages/delegation_token_record.h"
#include "wire/messages/feature_level_record.h"
#include "wire/messages/producer_ids_record.h"
#include "wire/messages/remove_access_control_entry_record.h"
#include "wire/messages/remove_delegation_token_record.h"
#include "wire/messages/remove_user_scram_credential_record.h"
#include "wire/messages/user_scram_credential_record.h"

namespace moldau::metadata {

namespace {

std::vector<uint8_t> owned(Bytes bytes) { return std::vector<uint8_t>(bytes.begin(), bytes.end()); }

}  // namespace

Result<void> Delta::config(const RecordHead& head) {
  TRY(record, read_body<wire::ConfigRecord>(head, *arena_));
  ConfigResource resource{record.resource_type, std::string(record.resource_name)};
  changes_.configs.insert(resource);
  Configs& all = configs();
  if (record.value) {
    all[resource][std::string(record.name)] = *record.value;
    return {};
  }
  auto at = all.find(resource);
  if (at == all.end()) return {};
  at->second.erase(std::string(record.name));
  if (at->second.empty()) all.erase(at);
  return {};
}

// Level 0 is none.
Result<void> Delta::feature_level(const RecordHead& head) {
  TRY(record, read_body<wire::FeatureLevelRecord>(head, *arena_));
  Features& all = features();
  if (record.feature_level == 0)
    all.erase(std::string(record.name));
  else
    all[std::string(record.name)] = record.feature_level;
  changes_.features = true;
  return {};
}

Result<void> Delta::quota(const RecordHead& head) {
  TRY(record, read_body<wire::ClientQuotaRecord>(head, *arena_));
  QuotaEntity entity;
  for (const auto& one : record.entity) {
    std::optional<std::string> name;
    if (one.entity_name) name = *one.entity_name;
    entity[std::string(one.entity_type)] = std::move(name);
  }
  changes_.quotas = true;
  Quotas& all = quotas();
  if (!record.remove) {
    all[entity][std::string(record.key)] = record.value;
    return {};
  }
  auto at = all.find(entity);
  if (at == all.end()) return {};
  at->second.erase(std::string(record.key));
  if (at->second.empty()) all.erase(at);
  return {};
}

Result<void> Delta::producer_ids(const RecordHead& head) {
  TRY(record, read_body<wire::ProducerIdsRecord>(head, *arena_));
  image_.next_producer_id = record.next_producer_id;
  changes_.producer_ids = true;
  return {};
}

Result<void> Delta::scram(const RecordHead& head) {
  TRY(record, read_body<wire::UserScramCredentialRecord>(head, *arena_));
  users()[{record.mechanism, std::string(record.name)}] = {
      owned(record.salt), owned(record.stored_key), owned(record.server_key), record.iterations};
  changes_.scram = true;
  return {};
}

Result<void> Delta::remove_scram(const RecordHead& head) {
  TRY(record, read_body<wire::RemoveUserScramCredentialRecord>(head, *arena_));
  users().erase({record.mechanism, std::string(record.name)});
  changes_.scram = true;
  return {};
}

Result<void> Delta::token(const RecordHead& head) {
  TRY(record, read_body<wire::DelegationTokenRecord>(head, *arena_));
  DelegationToken token{.owner = std::string(record.owner),
                        .requester = std::string(record.requester),
                        .renewers = {},
                        .issued_millis = record.issue_timestamp,
                        .max_millis = record.max_timestamp,
                        .expires_millis = record.expiration_timestamp};
  for (std::string_view renewer : record.renewers) token.renewers.emplace_back(renewer);
  tokens()[std::string(record.token_id)] = std::move(token);
  changes_.tokens = true;
  return {};
}

Result<void> Delta::remove_token(const RecordHead& head) {
  TRY(record, read_body<wire::RemoveDelegationTokenRecord>(head, *arena_));
  tokens().erase(std::string(record.token_id));
  changes_.tokens = true;
  return {};
}

Result<void> Delta::acl(const RecordHead& head) {
  TRY(record, read_body<wire::AccessControlEntryRecord>(head, *arena_));
  acls()[record.id] = {.resource_type = record.resource_type,
                       .resource_name = std::string(record.resource_name),
                       .pattern_type = record.pattern_type,
                       .principal = std::string(record.principal),
                       .host = std::string(record.host),
                       .operation = record.operation,
                       .permission = record.permission_type};
  changes_.acls = true;
  return {};
}

Result<void> Delta::remove_acl(const RecordHead& head) {
  TRY(record, read_body<wire::RemoveAccessControlEntryRecord>(head, *arena_));
  changes_.acls = true;
  if (acls().erase(record.id) == 0)
    return fail(Errc::corrupt,
                fmt::format("RemoveAccessControlEntryRecord of {}, which is not there",
                            record.id.to_string()));
  return {};
}

}  // namespace moldau::metadata
