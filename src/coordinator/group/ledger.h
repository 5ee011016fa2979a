// What is kept and what is still to be written of it, for all cores of one partition of
// __consumer_offsets: a record counts at once, and goes to the log in the order of the decisions.
#pragma once
#include "coordinator/group/records.h"
#include "coordinator/group/requests.h"
#include "coordinator/group/state.h"

namespace moldau::coordinator::group {

struct Effects {
  struct Joined {
    Token token;
    JoinAnswer answer;
    bool durable = false;  // not before all records so far are committed
  };
  struct Synced {
    Token token;
    SyncAnswer answer;
    bool durable = false;
  };
  std::vector<RecordBytes> records;  // to be appended, in this order
  std::vector<Joined> joins;
  std::vector<Synced> syncs;
};

struct Ledger {
  State state;
  Effects effects;
  size_t max_record_bytes = 0;

  // False: too large for a record; nothing happened.
  bool put(const Record& record) {
    RecordBytes bytes = encode_record(record);
    if (bytes.size() > max_record_bytes) return false;
    state.apply(record);
    effects.records.push_back(std::move(bytes));
    return true;
  }
};

}  // namespace moldau::coordinator::group
