// Specs as people write them: YAML files with overrides from a command line.
//
// For programs that a person starts; a server takes typed protobuf and links none of this. An error
// lists everything wrong with the file at once, one line each, in the order of the file:
//   tiny.yaml:4:12: model.d_model: must be at least 8, got 4
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/ddl/v1/spec.pb.h"
#include "proto/ddl/v1/sweep.pb.h"

namespace ddl {

enum class SpecFileKind { kExperiment, kSweep };

// A sweep has one of the keys `parameters`, `method` and `base`. kNotFound without the file;
// kInvalidArgument when it is not a YAML mapping.
absl::StatusOr<SpecFileKind> KindOfSpecFile(const std::string& path);

// Where the value of a key came from.
enum class OriginKind { kDefault, kComputed, kFile, kOverride };
struct SpecOrigin {
  OriginKind kind = OriginKind::kDefault;
  std::string text;  // "default", "computed", "tiny.yaml:4:12", "override model.d_model=4".
};
using SpecOrigins = std::map<std::string, SpecOrigin>;  // By path, "model.d_model".

// Reads an experiment and checks it: ResolveSpec of the result is OK. The result holds only the
// keys that were written, so that a caller may fill in computed ones (data.manifest_sha256,
// model.vocab_size) before it resolves. `origins`, if not null, gets every key of the resolved
// spec.
//
// Overrides: `a.b=v` sets a key, `+a.b=v` sets one that the file must not have, `~a.b` takes out
// one that it must have. A value is YAML: `tags=[a,b]`, `model.residual={kind: ddl}`.
absl::StatusOr<v1::ExperimentSpec> ReadExperimentYaml(const std::string& path,
                                                      const std::vector<std::string>& overrides,
                                                      SpecOrigins* origins);

// Reads a sweep with its base (a file beside it, or inline) and checks it by CheckSweep; the result
// is ResolveSweep's. An override reaches the sweep's own key where there is one of that name, else
// the base: `max_trials=6`, `train.tokens=100K`, `base.seed=7`, `~parameters.seed`,
// `parameters.optim.adamw.lr={values: [1e-3, 3e-3]}`.
absl::StatusOr<v1::SweepSpec> ReadSweepYaml(const std::string& path,
                                            const std::vector<std::string>& overrides);

// Every combination of the alternatives in overrides such as `seed=1,2,3`; commas inside quotes,
// brackets and braces separate nothing. One empty list for no overrides. kResourceExhausted above
// 10,000 combinations.
absl::StatusOr<std::vector<std::vector<std::string>>> SplitOverrides(
    const std::vector<std::string>& overrides);

// A resolved ExperimentSpec or SweepSpec as YAML that reads back to the same message.
std::string WriteYaml(const google::protobuf::Message& resolved);

}  // namespace ddl
