// How cleaned segments take the place of old ones on disk, such that a crash at any point leaves
// the old segments or the new one. The states, drawn, are in docs/formats/cleaning.md; the names
// are Apache Kafka's.
#pragma once
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "host/env.h"
#include "host/task.h"

namespace moldau::log {

// The files of one segment; the cleaned one need not have all of them. The .log comes first where
// order counts.
inline constexpr const char* kSegmentFiles[] = {".log", ".index", ".timeindex", ".txnindex"};

std::string cleaned_name(Offset base, std::string_view suffix);

// <base>.*.cleaned, complete and synced, become <base>.*.swap. When it has returned the new segment
// counts; before, the old ones do.
host::Task<Result<void>> commit_cleaned(host::Env& env, const std::string& directory, Offset base);
// The old segments (base among them) get names that end in .deleted, which are added to doomed, and
// the new one its own.
host::Task<Result<void>> finish_swap(host::Env& env, const std::string& directory,
                                     std::vector<Offset> old, std::vector<std::string>& doomed);
// A cleaning that did not get as far as commit_cleaned.
host::Task<Result<void>> remove_cleaned(host::Env& env, const std::string& directory, Offset base);

// After a crash: takes back what was not committed, finishes what was. May be stopped anywhere and
// begun again. Errors: corrupt (a committed segment that does not hold), and what the disk returns.
host::Task<Result<void>> recover_swaps(host::Env& env, const std::string& directory);

}  // namespace moldau::log
