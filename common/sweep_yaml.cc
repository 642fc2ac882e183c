// ReadSweepYaml of common/spec_yaml.h.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/config_node.h"
#include "common/model_yaml.h"
#include "common/spec_fill.h"
#include "common/spec_keys.h"
#include "common/spec_overrides.h"
#include "common/spec_places.h"
#include "common/spec_rules.h"
#include "common/spec_yaml.h"
#include "common/status.h"
#include "common/sweep_expand.h"
#include "common/sweep_reader.h"
#include "common/yaml.h"

namespace ddl {
namespace {

// `base: name.yaml` beside the sweep file.
std::string BesideFile(const std::string& file, const std::string& name) {
  const size_t slash = file.rfind('/');
  if (absl::StartsWith(name, "/") || slash == std::string::npos) return name;
  return file.substr(0, slash + 1) + name;
}

// Replaces a `base` that names a file by the mapping in that file.
void LoadBase(const std::string& file, ConfigNode* root, ConfigErrors* errors) {
  ConfigNode* base = root->Find("base");
  if (base == nullptr || base->kind != ConfigNode::Kind::kScalar) return;
  const std::string path = BesideFile(file, base->text);
  absl::StatusOr<ConfigNode> read = ReadYaml(path, errors);
  if (!read.ok()) {
    errors->Add(base->place, "base", std::string(read.status().message()));
    base->kind = ConfigNode::Kind::kMap;
    return;
  }
  *base = *std::move(read);
}

// The parts of an override's path in the tree of a sweep with a loaded base.
std::vector<std::string> SweepKeys(const std::string& path) {
  constexpr absl::string_view kParameters = "parameters.";
  if (absl::StartsWith(path, kParameters)) {
    return {"parameters", path.substr(kParameters.size())};  // Paths of parameters have dots.
  }
  std::vector<std::string> keys = absl::StrSplit(path, '.');
  if (FindKey(*v1::SweepSpec::descriptor(), keys[0]) == nullptr) keys.insert(keys.begin(), "base");
  return keys;
}

void ApplyOverrides(const std::string& file, const std::vector<std::string>& texts,
                    ConfigNode* root, ConfigErrors* errors) {
  const std::vector<Override> overrides = ParseOverrides(texts, errors);
  for (const Override& change : overrides) {
    if (change.path == "base") ApplyOverride(change, {"base"}, root, errors);
  }
  LoadBase(file, root, errors);
  for (const Override& change : overrides) {
    if (change.path != "base") ApplyOverride(change, SweepKeys(change.path), root, errors);
  }
  if (ConfigNode* const base = root->Find("base")) ExpandPreset(base, errors);
}

// Fills the sweep's own keys, its base and its parameters, each from its part of the tree.
void FillSweep(const ConfigNode& root, v1::SweepSpec* sweep, FilledKeys* own, FilledKeys* base,
               ConfigErrors* errors) {
  ConfigNode rest = root;
  const auto take = [&](absl::string_view key) -> std::optional<ConfigNode> {
    const auto entry = std::find_if(rest.entries.begin(), rest.entries.end(),
                                    [&](const auto& e) { return e.key == key; });
    if (entry == rest.entries.end()) return std::nullopt;
    ConfigNode node = std::move(entry->value);
    rest.entries.erase(entry);
    return node;
  };
  if (const auto node = take("base")) {
    own->places["base"] = node->place;
    FillMessage(*node, "", sweep->mutable_base(), base, errors);
  }
  if (const auto node = take("parameters")) ReadParameters(*node, sweep, own, errors);
  FillMessage(rest, "", sweep, own, errors);
}

// A rule that an arm breaks, reported at a parameter that it speaks of, else in the base.
void AddArmViolation(const SpecViolation& violation, const BadArm& bad, const FilledKeys& own,
                     const FilledKeys& base, const Place& whole, ConfigErrors* errors) {
  const SpecViolation named = {
      violation.paths, absl::StrCat(violation.rule, " (arm ", bad.arm, ": ", bad.values, ")")};
  for (const std::string& path : violation.paths) {
    std::vector<std::string> around = ParentsOf(path);
    around.insert(around.begin(), path);
    for (const std::string& key : around) {
      const auto place = own.places.find("parameters." + key);
      if (place == own.places.end()) continue;
      errors->Add(place->second, path, named.rule);
      return;
    }
  }
  AddViolation(named, base, whole, errors);
}

}  // namespace

absl::StatusOr<v1::SweepSpec> ReadSweepYaml(const std::string& path,
                                            const std::vector<std::string>& overrides) {
  ConfigErrors errors;
  DDL_ASSIGN_OR_RETURN(ConfigNode root, ReadYaml(path, &errors));
  if (root.kind != ConfigNode::Kind::kMap) {
    if (errors.empty()) errors.Add(root.place, "", "must be a mapping, got " + Describe(root));
    return errors.ToStatus();
  }
  ApplyOverrides(path, overrides, &root, &errors);
  v1::SweepSpec sweep;
  FilledKeys own;
  FilledKeys base;
  FillSweep(root, &sweep, &own, &base, &errors);
  std::vector<SpecViolation> violations;
  v1::SweepSpec resolved = ResolveSweep(sweep, &violations);
  for (const SpecViolation& violation : violations) {
    AddViolation(violation, own, root.place, &errors);
  }
  DDL_RETURN_IF_ERROR(errors.ToStatus());
  const std::optional<BadArm> bad = FirstBadArm(resolved);
  if (!bad) return resolved;
  for (const SpecViolation& violation : bad->violations) {
    AddArmViolation(violation, *bad, own, base, root.place, &errors);
  }
  return errors.ToStatus();
}

}  // namespace ddl
