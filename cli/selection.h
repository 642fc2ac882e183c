// Which runs a command line means: positional RUNs, -l, --sweep and --state in one place, so that
// every verb takes them alike.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/verb.h"
#include "proto/ddl/v1/experiments.pb.h"

namespace ddl::cli {

// The flags -l/--label and --sweep, for a verb's table entry; `own` are the verb's own flags.
std::vector<Flag> WithSelectionFlags(std::vector<Flag> own);

// kInvalidArgument for a label that is not key=value or key!=value, or an unknown key.
absl::StatusOr<v1::RunSelector> SelectorOf(const std::vector<std::string>& runs,
                                           const Arguments& arguments);

bool IsEmpty(const v1::RunSelector& selector);

// kInvalidArgument naming the verb, unless something is selected: for verbs that never mean all.
absl::Status RequireSelection(const v1::RunSelector& selector, const Arguments& arguments);

// queued, placed, ...: the states that --state accepts.
const std::vector<std::string>& RunStates();
bool HasEnded(const std::string& state);

}  // namespace ddl::cli
