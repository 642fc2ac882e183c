// The fair comparison that the service exists for: arms of seeds at equal tokens, steps, FLOPs or
// active seconds, with 95 % t intervals and differences paired by seed. One function for the
// coordinator's Metrics.Compare and for run folders on the command line. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/ddl/v1/metrics.pb.h"
#include "proto/ddl/v1/spec.pb.h"

namespace ddl {

struct ComparedRun {
  std::string run;
  v1::ExperimentSpec spec;        // Resolved.
  std::vector<v1::Point> points;  // Of the metric: one for each step of the run's lineage.
};

struct ComparisonRequest {
  std::string metric;      // Only a word in the answer; empty: val_loss.
  std::string x;           // tokens (also when empty), steps, flops, time (active seconds).
  std::vector<double> at;  // Places on x, at most 100. Empty: the largest that all runs with
                           // points have reached.
  std::string baseline;    // Label or residual of an arm, or a run of it; empty: the one additive
                           // arm when there is one.
};

// Runs whose specs differ in seed, name, title, notes and tags alone are one arm. Arms come in the
// order baseline, then by label; each of them once for every place, in the order asked for. Of
// `different_keys`, `values` has one entry for each arm in that order.
//
// A run's value at a place is that of its point there or else of its last point before it; nothing
// is interpolated, and a remark says when a value is from before. A run that has not reached the
// place, or whose value there is not finite, is in `missing` with the reason, and so is a second
// run of the same arm and seed. An arm is averaged over the seeds that it has; `n`, `missing` and a
// remark say when they are not all.
//
// kInvalidArgument: no runs, unknown x, bad place, unknown or ambiguous baseline.
// kFailedPrecondition, naming key, runs and values: validation data, tokenizer or evaluation
// settings are not the same, so that the values cannot be compared.
absl::StatusOr<v1::Comparison> Compare(const std::vector<ComparedRun>& runs,
                                       const ComparisonRequest& request);

}  // namespace ddl
