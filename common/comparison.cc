#include "common/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/comparison_arms.h"
#include "common/comparison_reading.h"
#include "common/names.h"
#include "common/series.h"
#include "common/statistics.h"
#include "common/status.h"
#include "common/synthetic_spec.h"

namespace ddl {
namespace {

constexpr size_t kMaxPlaces = 100;

struct Question {
  ComparisonAxis axis = ComparisonAxis::kTokens;
  std::vector<double> places;
};

// "ddl/1 at tokens 8000000"
std::string Where(const v1::Arm& arm) {
  return absl::StrCat(arm.label(), " at ", arm.x(), " ", PlaceText(arm.at()));
}

absl::StatusOr<Question> ReadQuestion(const std::vector<ComparedRun>& runs,
                                      const ComparisonRequest& request) {
  if (runs.empty()) return absl::InvalidArgumentError("a comparison needs at least one run");
  DDL_ASSIGN_OR_RETURN(const ComparisonAxis axis, ParseComparisonAxis(request.x));
  if (request.at.size() > kMaxPlaces) {
    return absl::InvalidArgumentError(
        absl::StrCat("at most ", kMaxPlaces, " places, got ", request.at.size()));
  }
  for (const double place : request.at) {
    if (!std::isfinite(place) || place < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("a place must be a number of at least 0, got ", place));
    }
  }
  if (!request.at.empty()) return Question{axis, request.at};
  std::optional<double> reached;
  for (const ComparedRun& run : runs) {
    const std::optional<double> farthest = FarthestPlace(run.points, axis);
    if (farthest) reached = std::min(reached.value_or(*farthest), *farthest);
  }
  return Question{axis, {reached.value_or(0)}};
}

std::string Labels(const std::vector<ComparedArm>& arms) {
  return absl::StrJoin(arms, ", ", [](std::string* out, const ComparedArm& arm) {
    absl::StrAppend(out, Quoted(arm.label));
  });
}

bool HasRun(const ComparedArm& arm, const std::string& run) {
  return std::any_of(arm.runs.begin(), arm.runs.end(),
                     [&](const ComparedRun* candidate) { return candidate->run == run; });
}

// The baseline's index; nullopt when none is named and not exactly one arm is additive.
absl::StatusOr<std::optional<size_t>> FindBaseline(const std::vector<ComparedArm>& arms,
                                                   const std::string& name,
                                                   v1::Comparison* comparison) {
  const std::string wanted = name.empty() ? "additive" : name;
  std::vector<size_t> found;
  for (size_t i = 0; i < arms.size(); ++i) {
    if (arms[i].label == wanted || HasRun(arms[i], wanted)) return std::optional<size_t>(i);
    if (arms[i].residual == wanted) found.push_back(i);
  }
  if (found.size() == 1) return std::optional<size_t>(found[0]);
  if (name.empty()) {
    if (found.size() > 1) {
      comparison->add_remarks(
          absl::StrCat("no baseline: ", found.size(), " arms are additive; name one of them"));
    }
    return std::optional<size_t>();
  }
  return absl::InvalidArgumentError(
      found.empty() ? absl::StrCat("baseline ", Quoted(name), " is not one of ", Labels(arms))
                    : absl::StrCat("baseline ", Quoted(name), " names ", found.size(),
                                   " arms; it must be one of ", Labels(arms)));
}

struct CountedRun {
  const ComparedRun* run = nullptr;
  Reading reading;
};

// The runs that count at a place, by seed; why each of the others does not goes to `arm`.
std::map<uint64_t, CountedRun> CountRuns(const ComparedArm& runs, ComparisonAxis axis, double place,
                                         v1::Arm* arm) {
  std::map<uint64_t, CountedRun> counted;
  for (const ComparedRun* run : runs.runs) {
    const Reading reading = ReadAt(run->points, axis, place);
    const uint64_t seed = run->spec.seed();
    const auto twin = counted.find(seed);
    if (!reading.has_value) {
      arm->add_missing(absl::StrCat(run->run, " (seed ", seed, "): ", reading.missing));
    } else if (twin != counted.end()) {
      arm->add_missing(absl::StrCat(run->run, " (seed ", seed, "): run ", twin->second.run->run,
                                    " of the same arm and seed counts"));
    } else {
      counted[seed] = {run, reading};
    }
  }
  return counted;
}

// Sums go in the order of the seeds, so that the order of the runs cannot change a bit.
v1::Arm MeasureArm(const ComparedArm& runs, ComparisonAxis axis, double place, bool* exact) {
  v1::Arm arm;
  arm.set_residual(runs.residual);
  arm.set_label(runs.label);
  arm.set_x(std::string(ComparisonAxisName(axis)));
  arm.set_at(place);
  std::vector<double> values;
  std::vector<double> speeds;
  std::optional<int64_t> tokens;
  for (const auto& [seed, counted] : CountRuns(runs, axis, place, &arm)) {
    const Reading& reading = counted.reading;
    v1::ArmValue* const value = arm.add_values();
    value->set_run(counted.run->run);
    value->set_seed(seed);
    value->set_value(reading.value);
    values.push_back(reading.value);
    tokens = std::min(tokens.value_or(reading.tokens), reading.tokens);
    if (reading.active_seconds > 0) {
      speeds.push_back(static_cast<double>(reading.tokens) / reading.active_seconds);
    }
    *exact = *exact && reading.exact;
  }
  arm.set_at_tokens(axis == ComparisonAxis::kTokens ? std::llround(place) : tokens.value_or(0));
  arm.set_n(static_cast<uint32_t>(values.size()));
  const Interval interval = values.empty() ? Interval{NAN, NAN, 0} : TInterval95(values);
  arm.set_mean(interval.mean);
  arm.set_half_width(interval.half_width);
  if (!speeds.empty()) arm.set_tokens_per_second(Mean(speeds));
  return arm;
}

// Fills in the difference to `baseline` at the same place, over the seeds that both have.
void SetDifference(const v1::Arm& baseline, v1::Arm* arm) {
  std::map<uint64_t, double> by_seed;
  for (const v1::ArmValue& value : baseline.values()) by_seed[value.seed()] = value.value();
  std::vector<double> ours;
  std::vector<double> theirs;
  for (const v1::ArmValue& value : arm->values()) {
    const auto pair = by_seed.find(value.seed());
    if (pair == by_seed.end()) continue;
    ours.push_back(value.value());
    theirs.push_back(pair->second);
  }
  arm->set_pairs(static_cast<uint32_t>(ours.size()));
  if (ours.empty()) return;
  const Interval difference = PairedDifference(ours, theirs);
  arm->set_has_difference(true);
  arm->set_difference(difference.mean);
  arm->set_difference_half_width(difference.half_width);
}

void RemarkOnSeeds(const v1::Arm& arm, const std::set<uint64_t>& all_seeds,
                   v1::Comparison* comparison) {
  std::vector<uint64_t> absent(all_seeds.begin(), all_seeds.end());
  for (const v1::ArmValue& value : arm.values()) {
    absent.erase(std::remove(absent.begin(), absent.end(), value.seed()), absent.end());
  }
  if (!absent.empty()) {
    comparison->add_remarks(absl::StrCat(Where(arm), " is incomplete: no value for seed ",
                                         absl::StrJoin(absent, ", "), "; ", arm.n(), " of ",
                                         all_seeds.size(), " seeds count"));
  } else if (arm.n() == 1) {
    comparison->add_remarks(absl::StrCat(Where(arm), ": one seed gives no interval"));
  }
}

void RemarkOnDifference(const v1::Arm& arm, v1::Comparison* comparison) {
  if (!arm.has_difference()) {
    comparison->add_remarks(absl::StrCat(Where(arm), " has no seed in common with the baseline"));
    return;
  }
  const Interval difference{arm.difference(), arm.difference_half_width(), arm.pairs()};
  if (arm.pairs() == 1) {
    comparison->add_remarks(
        absl::StrCat(Where(arm), ": one pair of seeds is too few to tell it from the baseline"));
  } else if (difference.Contains(0)) {
    comparison->add_remarks(absl::StrCat(Where(arm), ": ", arm.pairs(),
                                         " pairs of seeds are too few to tell it from the baseline"
                                         " (the 95 % interval of the difference holds 0)"));
  }
}

// What guessing earns, beside an accuracy on synthetic data.
void RemarkOnChance(const std::vector<ComparedRun>& runs, v1::Comparison* comparison) {
  const std::optional<SyntheticTask> task = SyntheticTaskOf(runs.front().spec);
  if (!task || comparison->metric() != series::kValAccuracy) return;
  comparison->add_remarks(absl::StrFormat(
      "%s: chance is %.4f", std::string(SyntheticKindName(task->kind)), ChanceAccuracy(*task)));
}

void AddDifferentKeys(const std::vector<ComparedArm>& arms, v1::Comparison* comparison) {
  for (const std::string& path : DifferingKeys(arms)) {
    v1::DifferentKey* const key = comparison->add_different_keys();
    key->set_path(path);
    for (const ComparedArm& arm : arms) {
      const auto found = arm.keys.find(path);
      key->add_values(found == arm.keys.end() ? "" : found->second);
    }
  }
}

}  // namespace

absl::StatusOr<v1::Comparison> Compare(const std::vector<ComparedRun>& runs,
                                       const ComparisonRequest& request) {
  DDL_ASSIGN_OR_RETURN(const Question question, ReadQuestion(runs, request));
  DDL_RETURN_IF_ERROR(CheckComparable(runs));
  std::vector<ComparedArm> arms = SortIntoArms(runs);

  v1::Comparison comparison;
  comparison.set_metric(request.metric.empty() ? "val_loss" : request.metric);
  comparison.set_x(std::string(ComparisonAxisName(question.axis)));
  DDL_ASSIGN_OR_RETURN(const std::optional<size_t> baseline,
                       FindBaseline(arms, request.baseline, &comparison));
  if (baseline) {
    comparison.set_baseline(arms[*baseline].label);
    const auto first = arms.begin();
    const auto found = first + static_cast<std::ptrdiff_t>(*baseline);
    std::rotate(first, found, found + 1);
  }

  std::set<uint64_t> seeds;
  for (const ComparedRun& run : runs) seeds.insert(run.spec.seed());
  bool exact = true;
  std::vector<v1::Arm> baselines;  // By place.
  for (size_t i = 0; i < arms.size(); ++i) {
    for (size_t place = 0; place < question.places.size(); ++place) {
      v1::Arm arm = MeasureArm(arms[i], question.axis, question.places[place], &exact);
      RemarkOnSeeds(arm, seeds, &comparison);
      if (baseline && i == 0) baselines.push_back(arm);
      if (baseline && i > 0) {
        SetDifference(baselines[place], &arm);
        RemarkOnDifference(arm, &comparison);
      }
      *comparison.add_arms() = std::move(arm);
    }
  }
  if (!exact) {
    comparison.add_remarks(absl::StrCat("a run without a point at exactly the place on ",
                                        comparison.x(), " has the value of its last point before"));
  }
  RemarkOnChance(runs, &comparison);
  AddDifferentKeys(arms, &comparison);
  return comparison;
}

}  // namespace ddl
