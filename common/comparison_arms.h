// Runs sorted into arms: which keys differ between them, what each is called, and whether they may
// be compared at all.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/comparison.h"

namespace ddl {

// Every set key of a spec with its value as YAML would show it; lists joined by commas.
using FlatSpec = std::map<std::string, std::string>;
FlatSpec Flatten(const v1::ExperimentSpec& spec);

struct ComparedArm {
  std::string residual;                  // ResidualLabel.
  std::string label;                     // Unique among the arms.
  FlatSpec keys;                         // Without those that may differ within an arm.
  std::vector<const ComparedRun*> runs;  // In the order given.
};

// Arms by label. The runs must outlive them.
std::vector<ComparedArm> SortIntoArms(const std::vector<ComparedRun>& runs);

// Paths whose values differ between arms, sorted.
std::vector<std::string> DifferingKeys(const std::vector<ComparedArm>& arms);

// kFailedPrecondition, naming key, runs and values, unless all runs have the same validation data,
// tokenizer and evaluation settings.
absl::Status CheckComparable(const std::vector<ComparedRun>& runs);

}  // namespace ddl
