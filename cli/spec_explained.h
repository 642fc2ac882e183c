// Every key of a resolved spec with its value, where it came from, and what it means.
#pragma once

#include <string>
#include <vector>

#include "cli/fields.h"
#include "common/spec_yaml.h"
#include "proto/ddl/v1/spec.pb.h"

namespace ddl::cli {

struct ExplainedKey {
  std::string path;  // "model.d_model".
  std::string value;
  std::string origin;  // "default", "tiny.yaml:4:12".
  std::string doc;
};

std::vector<ExplainedKey> Explain(const v1::ExperimentSpec& resolved, const SpecOrigins& origins);

// `resolved` without the keys that resolving would put back: what a person would have written. It
// resolves to the same spec.
v1::ExperimentSpec Shortened(const v1::ExperimentSpec& resolved);

}  // namespace ddl::cli
