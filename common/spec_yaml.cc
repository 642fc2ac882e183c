#include "common/spec_yaml.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/config_node.h"
#include "common/model_yaml.h"
#include "common/spec_fill.h"
#include "common/spec_keys.h"
#include "common/spec_overrides.h"
#include "common/spec_places.h"
#include "common/spec_rules.h"
#include "common/status.h"
#include "common/yaml.h"

namespace ddl {
namespace {

// Calls `visit` with the path of every key that is no mapping.
void ForEachKey(const google::protobuf::Descriptor& mapping, const std::string& parent,
                const std::function<void(const std::string&)>& visit) {
  for (int i = 0; i < mapping.field_count(); ++i) {
    const auto& field = *mapping.field(i);
    const std::string path = JoinPath(parent, field.name());
    if (IsMessage(field) && !field.is_repeated()) {
      ForEachKey(*field.message_type(), path, visit);
    } else {
      visit(path);
    }
  }
}

SpecOrigins OriginsOf(const FilledKeys& filled) {
  SpecOrigins origins;
  ForEachKey(*v1::ExperimentSpec::descriptor(), "", [&](const std::string& path) {
    SpecOrigin& origin = origins[path];
    const auto place = filled.places.find(path);
    if (place != filled.places.end()) {
      const bool in_file = !IsOverride(place->second);
      origin.kind = in_file ? OriginKind::kFile : OriginKind::kOverride;
      origin.text = in_file ? PlaceText(place->second) : *place->second.source;
    } else if (IsComputedKey(path)) {
      origin = {OriginKind::kComputed, "computed"};
    } else {
      origin = {OriginKind::kDefault, "default"};
    }
  });
  return origins;
}

}  // namespace

absl::StatusOr<SpecFileKind> KindOfSpecFile(const std::string& path) {
  ConfigErrors errors;
  DDL_ASSIGN_OR_RETURN(const ConfigNode root, ReadYaml(path, &errors));
  if (root.kind != ConfigNode::Kind::kMap) {
    if (errors.empty()) errors.Add(root.place, "", "must be a mapping, got " + Describe(root));
    return errors.ToStatus();
  }
  for (const char* key : {"parameters", "method", "base"}) {
    if (root.Find(key) != nullptr) return SpecFileKind::kSweep;
  }
  return SpecFileKind::kExperiment;
}

absl::StatusOr<v1::ExperimentSpec> ReadExperimentYaml(const std::string& path,
                                                      const std::vector<std::string>& overrides,
                                                      SpecOrigins* origins) {
  ConfigErrors errors;
  DDL_ASSIGN_OR_RETURN(ConfigNode root, ReadYaml(path, &errors));
  if (root.kind != ConfigNode::Kind::kMap && !errors.empty()) return errors.ToStatus();
  for (const Override& change : ParseOverrides(overrides, &errors)) {
    ApplyOverride(change, absl::StrSplit(change.path, '.'), &root, &errors);
  }
  if (root.kind != ConfigNode::Kind::kMap) {
    errors.Add(root.place, "", "must be a mapping, got " + Describe(root));
    return errors.ToStatus();
  }
  ExpandPreset(&root, &errors);
  v1::ExperimentSpec spec;
  FilledKeys filled;
  FillMessage(root, "", &spec, &filled, &errors);
  std::vector<SpecViolation> violations;
  ResolveSpec(spec, &violations);
  for (const SpecViolation& violation : violations) {
    AddViolation(violation, filled, root.place, &errors);
  }
  DDL_RETURN_IF_ERROR(errors.ToStatus());
  if (origins != nullptr) *origins = OriginsOf(filled);
  return spec;
}

}  // namespace ddl
