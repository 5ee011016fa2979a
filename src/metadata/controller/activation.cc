#include "metadata/controller/activation.h"

#include <fmt/format.h>

#include "metadata/record.h"
#include "metadata/snapshot.h"
#include "wire/messages/abort_transaction_record.h"
#include "wire/messages/begin_transaction_record.h"
#include "wire/messages/end_transaction_record.h"
#include "wire/messages/no_op_record.h"

namespace moldau::metadata {

namespace {

constexpr int16_t kTransactions = 13;  // 3.6-IV1

// Eligible replicas are counted by a number that must be the same everywhere: it stands in the log.
void add_min_isr(const ControllerSettings& settings, const Features& features, Records& out) {
  if (!features.contains("eligible.leader.replicas.version")) return;
  std::string value = fmt::format("{}", settings.min_insync_replicas);
  out.push_back(config_record({kBrokerResource, ""}, kMinIsr, value));
}

}  // namespace

std::vector<Records> activation_records(const ControllerSettings& settings,
                                        const Activation& activation) {
  std::vector<Records> out;
  if (activation.in_transaction) {
    wire::AbortTransactionRecord abort;
    abort.reason = "there was an open metadata transaction when this controller became active";
    out.push_back({write_record(abort, 0)});
  }
  if (!activation.empty) return out;
  Records first = bootstrap_records(activation.bootstrap);
  add_min_isr(settings, activation.bootstrap, first);
  auto level = activation.bootstrap.find("metadata.version");
  if (level != activation.bootstrap.end() && level->second >= kTransactions) {
    wire::BeginTransactionRecord begin;
    begin.name = "Bootstrap records";
    first.insert(first.begin(), write_record(begin, 0));
    first.push_back(write_record(wire::EndTransactionRecord(), 0));
  }
  out.push_back(std::move(first));
  return out;
}

Record no_op_record() { return write_record(wire::NoOpRecord(), 0); }

}  // namespace moldau::metadata
