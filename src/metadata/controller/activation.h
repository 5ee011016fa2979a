// What a controller writes when it begins to lead. Pure.
#pragma once
#include "metadata/controller/decision.h"

namespace moldau::metadata {

struct Activation {
  bool empty = false;           // the log has no record yet
  bool in_transaction = false;  // the last leader left one open
  const Features& bootstrap;    // levels of a new cluster, as it was formatted
};
// As lists of records, each one batch. A new cluster's lie in a transaction, where the level of
// metadata.version knows them (KIP-868).
std::vector<Records> activation_records(const ControllerSettings& settings,
                                        const Activation& activation);

Record no_op_record();

}  // namespace moldau::metadata
