#include "coordinator/core/selector.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "common/names.h"

namespace ddl::coordinator {
namespace {

constexpr size_t kShortestPrefix = 4;

// The one id in `map` that begins with `word`; empty when none does.
template <typename Map>
absl::StatusOr<std::string> ByPrefix(const Map& map, const std::string& word,
                                     absl::string_view what) {
  if (!IsIdPrefix(word)) return std::string();
  const auto first = map.lower_bound(word);
  if (first == map.end() || first->first.compare(0, word.size(), word) != 0) return std::string();
  const auto second = std::next(first);
  if (second != map.end() && second->first.compare(0, word.size(), word) == 0) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(word), " begins several ids of ", what,
                                                   ": ", first->first, ", ", second->first,
                                                   " ...; write more of it"));
  }
  return first->first;
}

// The newest record of that name; empty when there is none.
template <typename Map>
std::string ByName(const Map& map, const std::string& name) {
  std::string newest;
  uint64_t order = 0;
  for (const auto& [id, record] : map) {
    if (record.name() == name && record.order() > order) {
      newest = id;
      order = record.order();
    }
  }
  return newest;
}

// A whole id, then a long prefix, then a name, then a short prefix.
template <typename Map>
absl::StatusOr<std::string> Resolve(const Map& map, const std::string& word,
                                    absl::string_view what) {
  if (map.count(word) > 0) return word;
  if (word.size() >= kShortestPrefix) {
    absl::StatusOr<std::string> id = ByPrefix(map, word, what);
    if (id.ok() && !id->empty()) return id;
  }
  if (std::string id = ByName(map, word); !id.empty()) return id;
  return ByPrefix(map, word, what);
}

template <typename Map>
absl::Status NotFound(const Map& map, const std::string& word, absl::string_view what) {
  std::set<std::string> names;
  for (const auto& [id, record] : map) names.insert(record.name());
  const std::string near = DidYouMean(word, names);
  return absl::NotFoundError(
      absl::StrCat("no ", what, " ", Quoted(word),
                   near.empty() ? "" : absl::StrCat(" (did you mean ", Quoted(near), "?)")));
}

std::string LastRun(const State& state) {
  std::string last;
  uint64_t order = 0;
  for (const auto& [id, run] : state.runs) {
    if (run.order() <= order) continue;
    order = run.order();
    last = id;
  }
  return last;
}

absl::StatusOr<std::string> Label(const v1::RunRecord& run, const std::string& key) {
  if (key == "experiment") return run.spec().experiment();
  if (key == "residual") return run.residual();
  if (key == "seed") return absl::StrCat(run.spec().seed());
  if (key == "user") return run.user();
  if (key == "name") return run.name();
  if (key == "state") return Word(run.state());
  static const auto* const known =
      new std::vector<std::string>{"experiment", "residual", "seed", "user", "name", "state"};
  const std::string near = DidYouMean(key, *known);
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(key), " is not a label: experiment, residual, seed, user, name or state",
                   near.empty() ? "" : absl::StrCat(" (did you mean ", Quoted(near), "?)")));
}

// `residual=ddl` means every ddl/N.
bool LabelIs(const std::string& key, const std::string& value, const std::string& wanted) {
  if (value == wanted) return true;
  return key == "residual" && value.substr(0, value.find('/')) == wanted;
}

absl::StatusOr<bool> Matches(const v1::RunRecord& run, const v1::RunSelector& selector) {
  for (const auto& [key, wanted] : selector.labels()) {
    absl::StatusOr<std::string> value = Label(run, key);
    if (!value.ok()) return value.status();
    if (!LabelIs(key, *value, wanted)) return false;
  }
  for (const auto& [key, refused] : selector.not_labels()) {
    absl::StatusOr<std::string> value = Label(run, key);
    if (!value.ok()) return value.status();
    if (LabelIs(key, *value, refused)) return false;
  }
  return true;
}

// Unknown labels are errors even when there is no run to look at.
absl::Status CheckLabels(const v1::RunSelector& selector) {
  const absl::StatusOr<bool> matches = Matches(v1::RunRecord(), selector);
  if (!matches.ok()) return matches.status();
  for (const auto* labels : {&selector.labels(), &selector.not_labels()}) {
    for (const auto& [key, value] : *labels) {
      const absl::StatusOr<std::string> label = Label(v1::RunRecord(), key);
      if (!label.ok()) return label.status();
    }
  }
  return absl::OkStatus();
}

void AddRunsOf(const State& state, const std::string& experiment, std::set<std::string>* out) {
  for (const auto& [id, run] : state.runs) {
    if (run.experiment_id() == experiment) out->insert(id);
  }
}

absl::Status AddWord(const State& state, const std::string& word, std::set<std::string>* named,
                     std::set<std::string>* experiments) {
  const absl::StatusOr<std::string> run = ResolveRun(state, word);
  if (run.ok()) {
    named->insert(*run);
    return absl::OkStatus();
  }
  if (!absl::IsNotFound(run.status())) return run.status();
  const absl::StatusOr<std::string> experiment = ResolveExperiment(state, word);
  if (!experiment.ok()) {
    return absl::IsNotFound(experiment.status()) ? run.status() : experiment.status();
  }
  experiments->insert(*experiment);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ResolveRun(const State& state, const std::string& word) {
  absl::StatusOr<std::string> id = word == "@last" ? absl::StatusOr<std::string>(LastRun(state))
                                                   : Resolve(state.runs, word, "runs");
  if (id.ok() && id->empty()) return NotFound(state.runs, word, "run");
  return id;
}

absl::StatusOr<std::string> ResolveExperiment(const State& state, const std::string& word) {
  absl::StatusOr<std::string> id = Resolve(state.experiments, word, "experiments");
  if (id.ok() && id->empty()) return NotFound(state.experiments, word, "experiment");
  return id;
}

absl::StatusOr<Selection> SelectRuns(const State& state, const v1::RunSelector& selector) {
  absl::Status status = CheckLabels(selector);
  if (!status.ok()) return status;
  Selection selection;
  std::set<std::string> experiments;
  for (const std::string& word : selector.runs()) {
    status = AddWord(state, word, &selection.named, &experiments);
    if (!status.ok()) return status;
  }
  if (!selector.sweep().empty()) {
    absl::StatusOr<std::string> id = ResolveExperiment(state, selector.sweep());
    if (!id.ok()) return id.status();
    experiments.insert(*std::move(id));
  }
  std::set<std::string> chosen = selection.named;
  for (const std::string& id : experiments) AddRunsOf(state, id, &chosen);
  const bool all = selector.runs().empty() && selector.sweep().empty();
  for (const auto& [id, run] : state.runs) {
    if (!all && chosen.count(id) == 0) continue;
    const absl::StatusOr<bool> matches = Matches(run, selector);
    if (!matches.ok()) return matches.status();
    if (*matches) selection.runs.push_back(id);
  }
  std::sort(selection.runs.begin(), selection.runs.end(),
            [&](const std::string& a, const std::string& b) {
              return state.runs.at(a).order() < state.runs.at(b).order();
            });
  const bool whole = selector.labels().empty() && selector.not_labels().empty();
  if (whole) selection.experiments.assign(experiments.begin(), experiments.end());
  return selection;
}

}  // namespace ddl::coordinator
