// A model with the text that describes it, for files of weights: plain structs, so that code which
// sees LibTorch and so cannot see protobuf or YAML may ask for them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "worker/model/model_config.h"

namespace ddl {

struct ModelDescription {
  ModelConfig config;
  int64_t max_seq_len = 0;
  std::string json;  // The resolved `model` mapping, one line.
};

// Of a model file or experiment file (YAML), with its residual replaced by `residual` unless that
// is empty: a label such as "ddl/4", "ddl/4/token" or "hyper_connections/4/static", or the mapping
// "{kind: ddl, value_channels: 4}". kInvalidArgument lists every error.
absl::StatusOr<ModelDescription> DescribeModelFile(const std::string& path,
                                                   const std::string& residual);

// Of a description's own text. kDataLoss for anything else.
absl::StatusOr<ModelDescription> DescribeModelJson(const std::string& json);

// Of a serialized v1::ExperimentSpec, as a checkpoint's manifest has it. kDataLoss.
absl::StatusOr<ModelDescription> DescribeModelOfSpec(const std::string& spec);

}  // namespace ddl
