#include "worker/train/generate/model_description.h"

#include <google/protobuf/util/json_util.h>

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/check.h"
#include "common/model_yaml.h"
#include "common/spec_rules.h"
#include "common/status.h"
#include "worker/train/model_proto.h"

namespace ddl {
namespace {

ModelDescription Describe(const v1::ModelSpec& resolved) {
  ModelDescription described{.config = PlainModel(resolved), .max_seq_len = resolved.max_seq_len()};
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  const auto status =
      google::protobuf::util::MessageToJsonString(resolved, &described.json, options);
  DDL_CHECK(status.ok());
  return described;
}

// A model that was resolved before must still obey every rule.
absl::StatusOr<ModelDescription> DescribeResolved(const v1::ModelSpec& model) {
  v1::ExperimentSpec spec;
  *spec.mutable_model() = model;
  spec.mutable_data()->set_path("none");
  spec.mutable_train()->set_global_batch_tokens(model.max_seq_len());
  spec.mutable_train()->set_tokens(model.max_seq_len());
  spec.mutable_eval()->set_tokens(model.max_seq_len());
  const absl::StatusOr<v1::ExperimentSpec> resolved = ResolveSpec(spec);
  if (!resolved.ok()) return absl::DataLossError(resolved.status().message());
  return Describe(resolved->model());
}

// "ddl/4/token" as overrides of a spec.
absl::StatusOr<std::vector<std::string>> ResidualOverrides(const std::string& residual) {
  if (residual.empty()) return std::vector<std::string>{};
  if (absl::StartsWith(residual, "{")) {
    return std::vector<std::string>{absl::StrCat("model.residual=", residual)};
  }
  const std::vector<std::string> parts = absl::StrSplit(residual, '/');
  const bool hyper = parts[0] == "hyper_connections";
  std::vector<std::string> overrides = {absl::StrCat("model.residual.kind=", parts[0])};
  if (parts.size() > 1) {
    overrides.push_back(
        absl::StrCat("model.residual.", hyper ? "streams=" : "value_channels=", parts[1]));
  }
  if (parts.size() == 3 && parts[2] == (hyper ? "static" : "token")) {
    overrides.push_back(hyper ? "model.residual.dynamic=false" : "model.residual.compress=token");
  } else if (parts.size() > 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("a residual is KIND, KIND/N, ddl/N/token, hyper_connections/N/static or a "
                     "mapping, got ",
                     residual));
  }
  return overrides;
}

}  // namespace

absl::StatusOr<ModelDescription> DescribeModelFile(const std::string& path,
                                                   const std::string& residual) {
  DDL_ASSIGN_OR_RETURN(const std::vector<std::string> overrides, ResidualOverrides(residual));
  DDL_ASSIGN_OR_RETURN(const v1::ModelSpec model, ReadModelYaml(path, overrides));
  return Describe(model);
}

absl::StatusOr<ModelDescription> DescribeModelJson(const std::string& json) {
  v1::ModelSpec model;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &model);
  if (!status.ok()) {
    return absl::DataLossError(absl::StrCat("the description of the model is no JSON of one: ",
                                            std::string(status.message())));
  }
  return DescribeResolved(model);
}

absl::StatusOr<ModelDescription> DescribeModelOfSpec(const std::string& spec) {
  v1::ExperimentSpec parsed;
  if (!parsed.ParseFromString(spec) || !parsed.has_model()) {
    return absl::DataLossError("the manifest's spec is no experiment");
  }
  return DescribeResolved(parsed.model());
}

}  // namespace ddl
