// ResolveSweep and CheckSweep of common/spec_rules.h.
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/names.h"
#include "common/numbers.h"
#include "common/spec_fill.h"
#include "common/spec_keys.h"
#include "common/spec_rules.h"
#include "common/status.h"
#include "common/sweep_expand.h"
#include "common/sweep_values.h"

namespace ddl {
namespace {

using google::protobuf::FieldDescriptor;

constexpr int64_t kMostTrials = 100000;
constexpr size_t kMostNameBytes = 56;  // "-99999" follows it in the names of runs.

// Collects violations; a key is named as users know it: "parameters.<path>".
class SweepRules {
 public:
  SweepRules(v1::SweepSpec* sweep, std::vector<SpecViolation>* violations)
      : sweep_(*sweep), violations_(*violations) {}

  void Run() {
    CheckKeys(sweep_, "",
              [this](const std::string& path, const std::string& rule) { Report(path, rule); },
              {"base", "parameters"});
    if (!sweep_.has_base()) Report("base", "is required");
    if (sweep_.name().size() > kMostNameBytes) {
      Report("name", "a sweep's name must have at most 56 characters, because its runs add theirs");
    }
    if (sweep_.parameters_size() == 0) Report("parameters", "must name at least one key");
    if (sweep_.parameters_size() > 32) {
      Report("parameters",
             absl::StrCat("must have at most 32 items, got ", sweep_.parameters_size()));
    }
    std::sort(sweep_.mutable_parameters()->begin(), sweep_.mutable_parameters()->end(),
              [](const auto& a, const auto& b) { return a.path() < b.path(); });
    CheckOverlap();
    for (v1::SweepParameter& parameter : *sweep_.mutable_parameters()) CheckParameter(&parameter);
    if (violations_.empty()) CheckCounts();
  }

 private:
  void Report(const std::string& path, const std::string& rule) {
    violations_.push_back({{path}, rule});
  }

  void CheckOverlap();
  void CheckParameter(v1::SweepParameter* parameter);
  void CheckRepeat(const v1::SweepParameter& parameter);
  void CheckListed(const v1::SweepParameter& parameter);
  void CheckNumbers(const v1::SweepParameter& parameter, const FieldDescriptor& field);
  void CheckCounts();

  v1::SweepSpec& sweep_;
  std::vector<SpecViolation>& violations_;
};

void SweepRules::CheckOverlap() {
  for (int i = 0; i < sweep_.parameters_size(); ++i) {
    for (int j = 0; j < i; ++j) {
      const std::string& outer = sweep_.parameters(j).path();
      const std::string& inner = sweep_.parameters(i).path();
      if (outer == inner) {
        Report("parameters." + inner, "appears twice");
      } else if (absl::StartsWith(inner, outer + ".")) {
        Report("parameters." + inner, absl::StrCat("is inside ", outer, ", another parameter"));
      }
    }
  }
}

void SweepRules::CheckRepeat(const v1::SweepParameter& parameter) {
  const std::string at = "parameters." + parameter.path();
  if (parameter.path() != "seed") {
    Report(at, "repeat is for the key seed alone: it makes the seeds of every arm");
  }
  if (parameter.values_size() > 0 || !parameter.distribution().empty()) {
    Report(at, "must have one of values, a distribution and repeat");
  }
}

void SweepRules::CheckListed(const v1::SweepParameter& parameter) {
  const std::string at = "parameters." + parameter.path();
  if (parameter.values_size() == 0) return Report(at, "values must not be empty");
  if (parameter.distribution() == "constant" && parameter.values_size() != 1) {
    Report(at, absl::StrCat("constant has one value, got ", parameter.values_size()));
  }
  std::set<std::string> seen;
  for (const auto& value : parameter.values()) {
    v1::ExperimentSpec scratch;
    FilledKeys filled;
    ConfigErrors errors;
    FillPath(NodeOfValue(value, {}), parameter.path(), &scratch, &filled, &errors);
    if (!errors.empty()) return Report(at, std::string(errors.ToStatus().message()));
    if (!seen.insert(scratch.SerializeAsString()).second) {
      Report(at, absl::StrCat("value ", ValueText(value), " appears twice"));
    }
  }
  if (parameter.probabilities_size() == 0) return;
  double sum = 0;
  for (const double probability : parameter.probabilities()) {
    if (!(probability >= 0)) Report(at, "probabilities must not be negative");
    sum += probability;
  }
  if (sweep_.method() != "random" || parameter.distribution() != "categorical") {
    Report(at, "probabilities are for values of method random");
  } else if (parameter.probabilities_size() != parameter.values_size()) {
    Report(at, absl::StrCat("must have one probability for each of ", parameter.values_size(),
                            " values, got ", parameter.probabilities_size()));
  } else if (!(std::abs(sum - 1) < 1e-6)) {
    Report(at, absl::StrCat("probabilities must sum to 1, got ", FormatReal(sum)));
  }
}

void SweepRules::CheckNumbers(const v1::SweepParameter& p, const FieldDescriptor& field) {
  const std::string at = "parameters." + p.path();
  const std::string& distribution = p.distribution();
  const DistributionShape shape = ShapeOf(distribution);
  for (const double number : {p.min(), p.max(), p.q(), p.mu(), p.sigma()}) {
    if (!std::isfinite(number)) return Report(at, "numbers must be finite");
  }
  if (IsMessage(field) || field.is_repeated() ||
      field.cpp_type() == FieldDescriptor::CPPTYPE_STRING ||
      field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
    return Report(at, absl::StrCat(distribution, " is for numbers; this key takes values"));
  }
  const bool whole_key = field.cpp_type() != FieldDescriptor::CPPTYPE_DOUBLE;
  const bool whole_steps =
      distribution == "int_uniform" || (shape.quantized && p.q() == std::floor(p.q()));
  if (whole_key && !whole_steps) {
    Report(at, absl::StrCat("this key takes whole numbers: int_uniform, or q_... with a whole q, "
                            "not ",
                            distribution));
  }
  if (distribution == "int_uniform" &&
      (p.min() != std::floor(p.min()) || p.max() != std::floor(p.max()))) {
    Report(at, absl::StrCat("min and max of int_uniform must be whole numbers, got ",
                            FormatReal(p.min()), " and ", FormatReal(p.max())));
  }
  if (shape.bounded && !(p.min() < p.max())) {
    Report(at, absl::StrCat("min must be below max, got ", FormatReal(p.min()), " and ",
                            FormatReal(p.max())));
  }
  if (absl::StrContains(distribution, "log_uniform") && p.min() <= 0) {
    Report(at,
           absl::StrCat("min of ", distribution, " must be above 0, got ", FormatReal(p.min())));
  }
  if (shape.normal && p.sigma() <= 0) {
    Report(at, absl::StrCat("sigma must be above 0, got ", FormatReal(p.sigma())));
  }
  if (shape.quantized && p.q() <= 0) {
    return Report(at, absl::StrCat("q must be above 0, got ", FormatReal(p.q())));
  }
  if (shape.quantized && shape.bounded && GridSize([&] {
                                            v1::SweepParameter cells = p;
                                            cells.set_distribution("q_uniform");
                                            return cells;
                                          }()) == 0) {
    Report(at, "no multiple of q lies from min to max");
  }
}

void SweepRules::CheckParameter(v1::SweepParameter* parameter) {
  const std::string at = "parameters." + parameter->path();
  const auto found = FindPath(*v1::ExperimentSpec::descriptor(), parameter->path());
  if (!found.ok()) return Report(at, std::string(found.status().message()));
  if (parameter->path() == "name" || parameter->path() == "version") {
    return Report(at, "cannot be searched: the sweep sets it");
  }
  if (parameter->repeat() > 0) return CheckRepeat(*parameter);
  if (parameter->distribution().empty() && parameter->values_size() > 0) {
    parameter->set_distribution(parameter->values_size() == 1 ? "constant" : "categorical");
  }
  const std::string& distribution = parameter->distribution();
  if (distribution.empty()) {
    return Report(at, "must have one of values, value, distribution and repeat");
  }
  if (std::find(kDistributions.begin(), kDistributions.end(), distribution) ==
      kDistributions.end()) {
    const std::string near = DidYouMean(distribution, kDistributions);
    return Report(
        at, absl::StrCat("distribution ", Quoted(distribution), " is not one of ",
                         absl::StrJoin(kDistributions, ", "),
                         near.empty() ? "" : absl::StrCat(" (did you mean \"", near, "\"?)")));
  }
  const DistributionShape shape = ShapeOf(distribution);
  const bool unused = (!shape.listed && parameter->values_size() > 0) ||
                      (!shape.listed && parameter->probabilities_size() > 0) ||
                      (!shape.bounded && (parameter->min() != 0 || parameter->max() != 0)) ||
                      (!shape.normal && (parameter->mu() != 0 || parameter->sigma() != 0)) ||
                      (!shape.quantized && parameter->q() != 0);
  if (unused) return Report(at, absl::StrCat("has keys that ", distribution, " does not take"));
  if (sweep_.method() == "grid" && !shape.enumerable) {
    return Report(at, absl::StrCat("method grid cannot go through ", distribution,
                                   "; give values, int_uniform or q_uniform, or use random"));
  }
  if (shape.listed) return CheckListed(*parameter);
  CheckNumbers(*parameter, **found);
}

void SweepRules::CheckCounts() {
  const int64_t seeds = SeedsPerArm(sweep_);
  const uint64_t base_seed = sweep_.base().has_seed() ? sweep_.base().seed() : 1;
  constexpr uint64_t kLargestSeed = (uint64_t{1} << 53) - 1;
  if (base_seed > kLargestSeed - static_cast<uint64_t>(seeds)) {
    Report("parameters.seed",
           absl::StrCat("repeat ", seeds, " passes the largest seed from ", base_seed));
  }
  if (seeds > sweep_.max_trials()) {
    Report("max_trials", absl::StrCat("must hold at least one arm of ", seeds, " seeds, got ",
                                      sweep_.max_trials()));
  }
  if (sweep_.method() != "grid") return;
  double runs = static_cast<double>(seeds);
  for (const auto& parameter : sweep_.parameters()) {
    if (parameter.repeat() == 0) runs *= static_cast<double>(GridSize(parameter));
  }
  if (runs > static_cast<double>(kMostTrials)) {
    Report("parameters", absl::StrCat("the grid has ", FormatReal(runs), " runs; at most ",
                                      kMostTrials, " are allowed"));
  }
}

}  // namespace

v1::SweepSpec ResolveSweep(const v1::SweepSpec& sweep, std::vector<SpecViolation>* violations) {
  v1::SweepSpec resolved;
  FillDefaults(&resolved, {"base"});
  resolved.MergeFrom(sweep);
  if (resolved.method() == "random" && !sweep.has_max_trials()) {
    violations->push_back(
        {{"max_trials"}, "is required for method random: the number of runs, seeds included"});
  }
  SweepRules(&resolved, violations).Run();
  return resolved;
}

absl::StatusOr<v1::SweepSpec> ResolveSweep(const v1::SweepSpec& sweep) {
  std::vector<SpecViolation> violations;
  v1::SweepSpec resolved = ResolveSweep(sweep, &violations);
  DDL_RETURN_IF_ERROR(StatusOf(violations));
  return resolved;
}

absl::Status CheckSweep(const v1::SweepSpec& sweep) {
  DDL_ASSIGN_OR_RETURN(const v1::SweepSpec resolved, ResolveSweep(sweep));
  const std::optional<BadArm> bad = FirstBadArm(resolved);
  if (!bad) return absl::OkStatus();
  return Annotate(StatusOf(bad->violations),
                  absl::StrCat("arm ", bad->arm, " (", bad->values, ")"));
}

}  // namespace ddl
