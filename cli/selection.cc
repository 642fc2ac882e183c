#include "cli/selection.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/names.h"

namespace ddl::cli {
namespace {

const std::vector<std::string>& LabelKeys() {
  static const auto* const kKeys =
      new std::vector<std::string>{"experiment", "name", "residual", "seed", "state", "user"};
  return *kKeys;
}

}  // namespace

std::vector<Flag> WithSelectionFlags(std::vector<Flag> own) {
  own.push_back({"label",
                 'l',
                 "KEY=VALUE",
                 "Runs whose experiment, name, residual, seed, state or user matches; != for not",
                 {},
                 true});
  own.push_back({"sweep", 0, "SWEEP", "Runs of a sweep, by id, beginning of an id, or name"});
  return own;
}

absl::StatusOr<v1::RunSelector> SelectorOf(const std::vector<std::string>& runs,
                                           const Arguments& arguments) {
  v1::RunSelector selector;
  for (const std::string& run : runs) {
    if (run.empty()) return absl::InvalidArgumentError("a run's name must not be empty");
    selector.add_runs(run);
  }
  selector.set_sweep(arguments.Get("sweep"));
  for (const std::string& group : arguments.All("label")) {
    for (const std::string& label : std::vector<std::string>(absl::StrSplit(group, ','))) {
      const size_t equals = label.find('=');
      if (equals == std::string::npos || equals == 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("--label is KEY=VALUE or KEY!=VALUE, got ", Quoted(label)));
      }
      const bool negated = label[equals - 1] == '!';
      const std::string key = label.substr(0, equals - (negated ? 1 : 0));
      if (std::find(LabelKeys().begin(), LabelKeys().end(), key) == LabelKeys().end()) {
        const std::string nearest = DidYouMean(key, LabelKeys());
        return absl::InvalidArgumentError(
            absl::StrCat("--label: no key ", Quoted(key),
                         nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)"),
                         "; there are ", absl::StrJoin(LabelKeys(), ", ")));
      }
      auto& labels = negated ? *selector.mutable_not_labels() : *selector.mutable_labels();
      labels[key] = label.substr(equals + 1);
    }
  }
  return selector;
}

bool IsEmpty(const v1::RunSelector& selector) {
  return selector.runs().empty() && selector.sweep().empty() && selector.labels().empty() &&
         selector.not_labels().empty();
}

absl::Status RequireSelection(const v1::RunSelector& selector, const Arguments& arguments) {
  if (!IsEmpty(selector)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("`ddl ", arguments.verb->name, "` needs a RUN, --label or --sweep"));
}

const std::vector<std::string>& RunStates() {
  static const auto* const kStates = [] {
    auto* states = new std::vector<std::string>;
    const auto* type = v1::RunState_descriptor();
    for (int i = 1; i < type->value_count(); ++i) {
      std::string word = type->value(i)->name().substr(std::string("RUN_STATE_").size());
      std::transform(word.begin(), word.end(), word.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      states->push_back(std::move(word));
    }
    return states;
  }();
  return *kStates;
}

bool HasEnded(const std::string& state) {
  return state == "succeeded" || state == "failed" || state == "stopped_early" ||
         state == "canceled";
}

}  // namespace ddl::cli
