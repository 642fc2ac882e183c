// The rules of specs: defaults, ranges and the relations between keys, for every program that takes
// one, whether it came from YAML or over the wire.
//
// What one key allows is read from its (ddl.v1.key) option in proto/ddl/v1; only relations between
// keys are written here. Pure functions of their arguments; no YAML.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/ddl/v1/spec.pb.h"
#include "proto/ddl/v1/sweep.pb.h"

namespace ddl {

// One broken rule, with the keys that it speaks of ("model.d_model"), those a user most likely has
// to change first. `rule` names the values.
struct SpecViolation {
  std::vector<std::string> paths;
  std::string rule;
};

// `partial` with every absent key filled in: from its default, or computed from other keys.
// `train.tokens` is rounded up to whole steps. Resolving a resolved spec changes nothing.
// kInvalidArgument lists every violation, one a line: "model.n_layers: must be at least 1, got 0".
absl::StatusOr<v1::ExperimentSpec> ResolveSpec(const v1::ExperimentSpec& partial);

// As ResolveSpec, with the violations apart; the spec means nothing unless there are none.
v1::ExperimentSpec ResolveSpec(const v1::ExperimentSpec& partial,
                               std::vector<SpecViolation>* violations);

// One line for each: "model.n_layers: must be at least 1, got 0". OK for none.
absl::Status StatusOf(const std::vector<SpecViolation>& violations);

// Whether ResolveSpec derives the key from others when it is absent ("model.d_ff").
bool IsComputedKey(const std::string& path);

// Optimizer steps of a resolved spec.
int64_t StepCount(const v1::ExperimentSpec& resolved);

// Kind and size of a resolved residual: "additive", "ddl/1", "write_only/4", "ddl/4/token",
// "hyper_connections/4", "hyper_connections/4/static".
std::string ResidualLabel(const v1::ResidualSpec& residual);

// Equal for specs that differ in seed, name, title, notes and tags alone: the runs of one arm.
// 64 hex digits.
std::string ArmKey(const v1::ExperimentSpec& resolved);

// The sweep with its own keys filled in and its parameters sorted by path; `base` stays partial.
// kInvalidArgument lists what is wrong with the sweep itself, one violation a line.
absl::StatusOr<v1::SweepSpec> ResolveSweep(const v1::SweepSpec& sweep);

// As ResolveSweep, with the violations apart; a parameter's path is "parameters.model.d_model".
v1::SweepSpec ResolveSweep(const v1::SweepSpec& sweep, std::vector<SpecViolation>* violations);

// That ResolveSweep accepts the sweep and that every arm resolves; names the first arm that does
// not, with its parameters.
absl::Status CheckSweep(const v1::SweepSpec& sweep);

}  // namespace ddl
