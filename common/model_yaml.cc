#include "common/model_yaml.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/spec_fill.h"
#include "common/spec_overrides.h"
#include "common/spec_places.h"
#include "common/spec_rules.h"
#include "common/spec_yaml.h"
#include "common/status.h"
#include "common/yaml.h"

namespace ddl {
namespace {

constexpr absl::string_view kPresetPath = "model.preset";

// `name` as the file that names it means it.
std::string PresetFile(const Place& place, const std::string& name) {
  const std::string& source = *place.source;
  const size_t slash = source.rfind('/');
  const bool beside = !IsOverride(place) && slash != std::string::npos;
  if (!beside || absl::StartsWith(name, "/")) return name;
  return source.substr(0, slash + 1) + name;
}

// Adds the keys of `under` that `over` has not, in mappings within both too.
void PutUnder(const ConfigNode& under, ConfigNode* over) {
  for (const ConfigNode::Entry& entry : under.entries) {
    ConfigNode* const there = over->Find(entry.key);
    if (there == nullptr) {
      over->entries.push_back(entry);
    } else if (there->kind == ConfigNode::Kind::kMap &&
               entry.value.kind == ConfigNode::Kind::kMap) {
      PutUnder(entry.value, there);
    }
  }
}

// Takes the entry `key` out of a map.
ConfigNode Take(absl::string_view key, ConfigNode* map) {
  for (auto entry = map->entries.begin(); entry != map->entries.end(); ++entry) {
    if (entry->key != key) continue;
    ConfigNode value = std::move(entry->value);
    map->entries.erase(entry);
    return value;
  }
  return {};
}

// `{model: <root>}`: a model file as an experiment.
ConfigNode AsExperiment(ConfigNode root) {
  ConfigNode experiment;
  experiment.kind = ConfigNode::Kind::kMap;
  experiment.place = root.place;
  ConfigNode::Entry entry{"model", root.place, std::move(root)};
  experiment.entries.push_back(std::move(entry));
  return experiment;
}

// The parts of an experiment that a model says nothing of, so that they fit any model.
void FillAroundModel(v1::ExperimentSpec* spec) {
  v1::ExperimentSpec defaults;
  *defaults.mutable_model() = spec->model();
  std::vector<SpecViolation> ignored;
  const uint64_t tokens = ResolveSpec(defaults, &ignored).model().max_seq_len();
  spec->mutable_data()->set_path("none");
  spec->mutable_train()->set_global_batch_tokens(tokens);
  spec->mutable_train()->set_tokens(tokens);
  spec->mutable_eval()->set_tokens(tokens);
}

}  // namespace

void ExpandPreset(ConfigNode* root, ConfigErrors* errors) {
  ConfigNode* const model = root->Find("model");
  if (model == nullptr || model->kind != ConfigNode::Kind::kMap) return;
  if (model->Find(kPresetKey) == nullptr) return;
  const ConfigNode preset = Take(kPresetKey, model);
  const std::string path(kPresetPath);
  if (preset.kind != ConfigNode::Kind::kScalar || preset.text.empty()) {
    errors->Add(preset.place, path,
                absl::StrCat("must be the path of a model file, got ", Describe(preset)));
    return;
  }
  const std::string file = PresetFile(preset.place, preset.text);
  const absl::StatusOr<ConfigNode> read = ReadYaml(file, errors);
  if (!read.ok()) {
    errors->Add(preset.place, path, std::string(read.status().message()));
    return;
  }
  if (read->kind != ConfigNode::Kind::kMap) {
    errors->Add(read->place, path, absl::StrCat("must be a mapping, got ", Describe(*read)));
    return;
  }
  if (const ConfigNode* const nested = read->Find(kPresetKey)) {
    errors->Add(nested->place, path, "a preset names no other preset");
    return;
  }
  PutUnder(*read, model);
}

absl::StatusOr<v1::ModelSpec> ReadModelYaml(const std::string& path,
                                            const std::vector<std::string>& overrides) {
  ConfigErrors errors;
  DDL_ASSIGN_OR_RETURN(ConfigNode root, ReadYaml(path, &errors));
  if (root.kind == ConfigNode::Kind::kMap && root.Find("model") != nullptr) {
    DDL_ASSIGN_OR_RETURN(const v1::ExperimentSpec spec,
                         ReadExperimentYaml(path, overrides, nullptr));
    DDL_ASSIGN_OR_RETURN(const v1::ExperimentSpec resolved, ResolveSpec(spec));
    return resolved.model();
  }
  if (root.kind != ConfigNode::Kind::kMap) {
    if (errors.empty()) errors.Add(root.place, "", "must be a mapping, got " + Describe(root));
    return errors.ToStatus();
  }
  const Place whole = root.place;
  ConfigNode experiment = AsExperiment(std::move(root));
  for (const Override& change : ParseOverrides(overrides, &errors)) {
    ApplyOverride(change, absl::StrSplit(change.path, '.'), &experiment, &errors);
  }
  v1::ExperimentSpec spec;
  FilledKeys filled;
  FillMessage(experiment, "", &spec, &filled, &errors);
  FillAroundModel(&spec);
  std::vector<SpecViolation> violations;
  const v1::ExperimentSpec resolved = ResolveSpec(spec, &violations);
  for (const SpecViolation& violation : violations) {
    AddViolation(violation, filled, whole, &errors);
  }
  DDL_RETURN_IF_ERROR(errors.ToStatus());
  return resolved.model();
}

}  // namespace ddl
