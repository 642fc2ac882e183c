// Which runs a RunSelector means.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/core/state.h"
#include "proto/ddl/v1/experiments.pb.h"

namespace ddl::coordinator {

struct Selection {
  std::vector<std::string> runs;         // Ids, oldest first, each once.
  std::set<std::string> named;           // Those of them that were named one by one.
  std::vector<std::string> experiments;  // Ids of experiments that were named as a whole.
};

// Runs that match `selector`, given by id, unique prefix of an id (4 characters or more are enough
// to be taken for one before a name), name, experiment id or name, or @last (the newest run). An
// empty selector selects all. kNotFound for a word that matches nothing, with the nearest name;
// kInvalidArgument for an ambiguous prefix or an unknown label.
absl::StatusOr<Selection> SelectRuns(const State& state, const v1::RunSelector& selector);

// One run by id, unique prefix, name (the newest of that name) or @last.
absl::StatusOr<std::string> ResolveRun(const State& state, const std::string& word);
// One experiment by id, unique prefix or name (the newest of that name).
absl::StatusOr<std::string> ResolveExperiment(const State& state, const std::string& word);

}  // namespace ddl::coordinator
