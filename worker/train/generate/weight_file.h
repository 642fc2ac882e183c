// Weights alone, without an optimizer: a safetensors file under the golden names with the model's
// description in its metadata, or the weights of a checkpoint folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/model/transformer.h"
#include "worker/train/generate/model_description.h"

namespace ddl {

// Writes the weights of `model`, in fp32, durably or not at all.
absl::Status WriteWeights(const std::string& path, const Transformer& model,
                          const ModelDescription& description, uint64_t seed);

struct LoadedModel {
  ModelDescription description;
  std::unique_ptr<Transformer> model;  // On the CPU.
};

// Of a file that WriteWeights wrote, or of a checkpoint folder, whose digests are verified.
// kNotFound or kDataLoss, naming the file and the rule.
absl::StatusOr<LoadedModel> LoadModel(const std::string& path);

}  // namespace ddl
