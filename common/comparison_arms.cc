#include "common/comparison_arms.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/names.h"
#include "common/spec_keys.h"
#include "common/spec_rules.h"

namespace ddl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// What decides the value of a validation: equal numbers mean nothing unless these are equal.
constexpr std::array<const char*, 3> kComparabilityKeys = {"data.synthetic.task",
                                                           "data.manifest_sha256", "eval.tokens"};

// What ResidualLabel says already.
const std::set<std::string>& ResidualKeys() {
  static const auto* const keys = new std::set<std::string>{
      "model.residual.kind", "model.residual.value_channels", "model.residual.compress",
      "model.residual.streams", "model.residual.dynamic"};
  return *keys;
}

void FlattenInto(const Message& message, const std::string& parent, FlatSpec* flat) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string path = absl::StrCat(parent, field->name());
    if (field->is_repeated()) {
      std::vector<std::string> items;
      for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
        items.push_back(ScalarText(message, *field, i));
      }
      (*flat)[path] = absl::StrJoin(items, ",");
    } else if (IsMessage(*field)) {
      FlattenInto(message.GetReflection()->GetMessage(message, field), path + ".", flat);
    } else {
      (*flat)[path] = ScalarText(message, *field);
    }
  }
}

std::string ValueOf(const FlatSpec& flat, const std::string& path) {
  const auto found = flat.find(path);
  return found == flat.end() ? "" : found->second;
}

// "ddl/1 optim.adamw.lr=0.01": the residual and the other keys of `paths`.
std::string LabelOf(const ComparedArm& arm, const std::vector<std::string>& paths,
                    bool with_computed) {
  std::string label = arm.residual;
  for (const std::string& path : paths) {
    if (ResidualKeys().count(path) > 0 || (IsComputedKey(path) && !with_computed)) continue;
    absl::StrAppend(&label, " ", path, "=", ValueOf(arm.keys, path));
  }
  return label;
}

void NameArms(std::vector<ComparedArm>* arms) {
  const std::vector<std::string> paths = DifferingKeys(*arms);
  // A computed key follows from another that differs, unless someone set it.
  for (const bool with_computed : {false, true}) {
    std::set<std::string> labels;
    for (ComparedArm& arm : *arms) {
      arm.label = LabelOf(arm, paths, with_computed);
      labels.insert(arm.label);
    }
    if (labels.size() == arms->size()) return;
  }
}

}  // namespace

FlatSpec Flatten(const v1::ExperimentSpec& spec) {
  FlatSpec flat;
  FlattenInto(spec, "", &flat);
  return flat;
}

std::vector<ComparedArm> SortIntoArms(const std::vector<ComparedRun>& runs) {
  std::map<std::string, ComparedArm> by_key;
  for (const ComparedRun& run : runs) {
    ComparedArm& arm = by_key[ArmKey(run.spec)];
    if (arm.runs.empty()) {
      arm.residual = ResidualLabel(run.spec.model().residual());
      arm.keys = Flatten(run.spec);
      for (const char* own : {"seed", "name", "title", "notes", "tags"}) arm.keys.erase(own);
    }
    arm.runs.push_back(&run);
  }
  std::vector<ComparedArm> arms;
  for (auto& [key, arm] : by_key) arms.push_back(std::move(arm));
  NameArms(&arms);
  std::sort(arms.begin(), arms.end(),
            [](const ComparedArm& a, const ComparedArm& b) { return a.label < b.label; });
  return arms;
}

std::vector<std::string> DifferingKeys(const std::vector<ComparedArm>& arms) {
  std::map<std::string, std::set<std::string>> values;
  for (const ComparedArm& arm : arms) {
    for (const auto& [path, value] : arm.keys) values[path];
  }
  std::vector<std::string> differing;
  for (auto& [path, seen] : values) {
    for (const ComparedArm& arm : arms) seen.insert(ValueOf(arm.keys, path));
    if (seen.size() > 1) differing.push_back(path);
  }
  return differing;
}

absl::Status CheckComparable(const std::vector<ComparedRun>& runs) {
  std::vector<std::string> reasons;
  for (const std::string path : kComparabilityKeys) {
    std::map<std::string, std::string> run_of_value;  // The first run with each value.
    for (const ComparedRun& run : runs) {
      run_of_value.emplace(ValueOf(Flatten(run.spec), path), run.run);
    }
    if (run_of_value.size() < 2) continue;
    reasons.push_back(absl::StrCat(path, " differs (",
                                   absl::StrJoin(run_of_value, ", ",
                                                 [](std::string* out, const auto& v) {
                                                   absl::StrAppend(
                                                       out, v.second, ": ",
                                                       v.first.empty() ? "none" : Quoted(v.first));
                                                 }),
                                   ")"));
  }
  if (reasons.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "runs with different validation data, tokenizer or evaluation settings cannot be compared: ",
      absl::StrJoin(reasons, "; ")));
}

}  // namespace ddl
