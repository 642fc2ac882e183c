// The runs of a sweep, as a pure function of the sweep and an index: nothing is ever listed.
//
// A sweep is arms times seeds; the seeds of `seed: {repeat: k}` are the fastest axis, so that runs
// k*a to k*a + k-1 are arm a. In a grid the last path in sorted order is the next fastest. A random
// value is a hash of (sweep.seed, arm, path), so neither order nor restarts nor max_trials changes
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/spec_rules.h"
#include "proto/ddl/v1/spec.pb.h"
#include "proto/ddl/v1/sweep.pb.h"

namespace ddl {

// All take a sweep as ResolveSweep returns it.

// Runs, seeds included; whole arms only, at most max_trials.
int64_t TrialCount(const v1::SweepSpec& sweep);

// Runs of one arm: k of `seed: {repeat: k}`, else 1.
int64_t SeedsPerArm(const v1::SweepSpec& sweep);

// The resolved spec of run `index`, named "<sweep>-<index>". kOutOfRange outside [0, TrialCount);
// kInvalidArgument, by ResolveSpec, when the arm's values do not go together.
absl::StatusOr<v1::ExperimentSpec> Trial(const v1::SweepSpec& sweep, int64_t index);

// The values that the sweep gives to run `index`: path and value as YAML, in the order of the
// paths, the seed among them.
struct TrialValue {
  std::string path;
  std::string value;
};
std::vector<TrialValue> TrialValues(const v1::SweepSpec& sweep, int64_t index);

// The first arm whose values do not go together, if there is one. Resolves every arm before it.
struct BadArm {
  int64_t arm = 0;
  std::string values;  // "model.d_model=100 model.n_heads=6".
  std::vector<SpecViolation> violations;
};
std::optional<BadArm> FirstBadArm(const v1::SweepSpec& sweep);

}  // namespace ddl
