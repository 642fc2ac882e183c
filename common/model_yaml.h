// Models as people write them: a file with the keys of `model`, which a spec names as its preset.
//
//   model: {preset: ../models/paper-124m.yaml, residual: {kind: ddl, value_channels: 4}}
//
// A preset is put under the keys that the spec writes and leaves no trace but them: servers and
// stored specs know none. The path is taken from the file that names it, or, in an override of a
// command line, from the current folder.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/config_node.h"
#include "proto/ddl/v1/spec.pb.h"

namespace ddl {

inline constexpr absl::string_view kPresetKey = "preset";

// Replaces `model.preset` of the experiment `root`, if it has one, by the keys of that file which
// `root` does not have. What is wrong with it goes to `errors`.
void ExpandPreset(ConfigNode* root, ConfigErrors* errors);

// The resolved model of a model file, or of an experiment file, with `overrides` as
// ReadExperimentYaml takes them ("model.residual.kind=ddl"). kInvalidArgument lists every error.
absl::StatusOr<v1::ModelSpec> ReadModelYaml(const std::string& path,
                                            const std::vector<std::string>& overrides);

}  // namespace ddl
