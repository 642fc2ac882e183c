#include "common/sweep_expand.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/spec_fill.h"
#include "common/status.h"
#include "common/sweep_values.h"

namespace ddl {
namespace {

using Values = std::vector<std::pair<std::string, google::protobuf::Value>>;

uint64_t BaseSeed(const v1::SweepSpec& sweep) {
  return sweep.base().has_seed() ? sweep.base().seed() : 1;
}

// Path and value of every parameter but a repeated seed.
Values ArmValues(const v1::SweepSpec& sweep, int64_t arm) {
  Values values;
  const bool grid = sweep.method() == "grid";
  int64_t rest = arm;
  for (int i = sweep.parameters_size() - 1; i >= 0; --i) {  // The last path is the fastest.
    const v1::SweepParameter& parameter = sweep.parameters(i);
    if (parameter.repeat() > 0) continue;
    if (grid) {
      const int64_t size = GridSize(parameter);
      values.emplace_back(parameter.path(), GridValue(parameter, rest % size));
      rest /= size;
    } else {
      values.emplace_back(parameter.path(), DrawValue(parameter, sweep.seed(), arm));
    }
  }
  std::reverse(values.begin(), values.end());
  return values;
}

// Arms of the whole grid; at most `limit` + 1, whatever the product.
int64_t GridArms(const v1::SweepSpec& sweep, int64_t limit) {
  int64_t arms = 1;
  for (const v1::SweepParameter& parameter : sweep.parameters()) {
    if (parameter.repeat() > 0) continue;
    const int64_t size = GridSize(parameter);
    if (size == 0) return 0;
    if (arms > limit / size) return limit + 1;
    arms *= size;
  }
  return arms;
}

v1::ExperimentSpec ResolveTrial(const v1::SweepSpec& sweep, int64_t index,
                                std::vector<SpecViolation>* violations) {
  const int64_t seeds = SeedsPerArm(sweep);
  v1::ExperimentSpec spec = sweep.base();
  for (const auto& [path, value] : ArmValues(sweep, index / seeds)) {
    FilledKeys filled;
    ConfigErrors errors;
    FillPath(NodeOfValue(value, {}), path, &spec, &filled, &errors);
    if (!errors.empty()) {
      violations->push_back({{path}, std::string(errors.ToStatus().message())});
    }
  }
  if (seeds > 1) spec.set_seed(BaseSeed(sweep) + static_cast<uint64_t>(index % seeds));
  spec.set_name(absl::StrCat(sweep.name(), "-", index));
  return ResolveSpec(spec, violations);
}

}  // namespace

int64_t SeedsPerArm(const v1::SweepSpec& sweep) {
  for (const v1::SweepParameter& parameter : sweep.parameters()) {
    if (parameter.repeat() > 0) return parameter.repeat();
  }
  return 1;
}

int64_t TrialCount(const v1::SweepSpec& sweep) {
  const int64_t seeds = SeedsPerArm(sweep);
  const int64_t most = sweep.max_trials() / seeds;  // Whole arms.
  const int64_t arms = sweep.method() == "grid" ? GridArms(sweep, most) : most;
  return std::min(arms, most) * seeds;
}

std::vector<TrialValue> TrialValues(const v1::SweepSpec& sweep, int64_t index) {
  const int64_t seeds = SeedsPerArm(sweep);
  const Values arm = ArmValues(sweep, index / seeds);
  std::vector<TrialValue> values;
  values.reserve(arm.size() + 1);
  for (const auto& [path, value] : arm) values.push_back({path, ValueText(value)});
  for (const v1::SweepParameter& parameter : sweep.parameters()) {
    if (parameter.repeat() == 0) continue;
    const uint64_t seed = BaseSeed(sweep) + static_cast<uint64_t>(index % seeds);
    values.push_back({parameter.path(), absl::StrCat(seed)});
  }
  std::sort(values.begin(), values.end(),
            [](const TrialValue& a, const TrialValue& b) { return a.path < b.path; });
  return values;
}

absl::StatusOr<v1::ExperimentSpec> Trial(const v1::SweepSpec& sweep, int64_t index) {
  if (index < 0 || index >= TrialCount(sweep)) {
    return absl::OutOfRangeError(
        absl::StrCat("run ", index, " of a sweep of ", TrialCount(sweep), " runs, counted from 0"));
  }
  std::vector<SpecViolation> violations;
  v1::ExperimentSpec resolved = ResolveTrial(sweep, index, &violations);
  DDL_RETURN_IF_ERROR(StatusOf(violations));
  return resolved;
}

std::optional<BadArm> FirstBadArm(const v1::SweepSpec& sweep) {
  const int64_t seeds = SeedsPerArm(sweep);
  const int64_t arms = TrialCount(sweep) / seeds;
  for (int64_t arm = 0; arm < arms; ++arm) {
    BadArm bad;
    ResolveTrial(sweep, arm * seeds, &bad.violations);
    if (bad.violations.empty()) continue;
    bad.arm = arm;
    bad.values = absl::StrJoin(ArmValues(sweep, arm), " ", [](std::string* out, const auto& value) {
      absl::StrAppend(out, value.first, "=", ValueText(value.second));
    });
    return bad;
  }
  return std::nullopt;
}

}  // namespace ddl
