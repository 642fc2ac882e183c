#include "worker/train/generate/weight_file.h"

#include <ATen/core/grad_mode.h>

#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/safetensors.h"
#include "common/status.h"
#include "worker/model/random_stream.h"
#include "worker/train/manifest.h"

namespace ddl {
namespace {

constexpr const char* kModelKey = "model";
constexpr const char* kCheckpointPrefix = "weights/";

// Copies the tensor `prefix` + name of every weight.
absl::Status CopyWeights(const std::string& path, const SafetensorsFile& file,
                         absl::string_view prefix, Parameters* parameters) {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : parameters->all()) {
    const std::string name = absl::StrCat(prefix, parameter.name);
    const TensorView* const tensor = file.Find(name);
    if (tensor == nullptr) {
      return absl::DataLossError(absl::StrCat(path, ": tensor ", name, " is missing"));
    }
    const std::vector<int64_t> shape = parameter.value.sizes().vec();
    if (tensor->type != TensorType::kF32 || tensor->shape != shape) {
      return absl::DataLossError(absl::StrCat(
          path, ": tensor ", name, " must be F32 of shape [", absl::StrJoin(shape, ","), "], got ",
          TensorTypeName(tensor->type), " of shape [", absl::StrJoin(tensor->shape, ","), "]"));
    }
    const at::Tensor staged = at::empty(shape, at::kFloat);
    std::memcpy(staged.data_ptr(), tensor->bytes.data(), tensor->bytes.size());
    at::Tensor(parameter.value).copy_(staged);
  }
  return absl::OkStatus();
}

LoadedModel Build(ModelDescription description) {
  auto model = std::make_unique<Transformer>(description.config, /*seed=*/0, at::kCPU);
  return {std::move(description), std::move(model)};
}

absl::StatusOr<LoadedModel> LoadCheckpoint(const std::string& folder) {
  const std::string manifest_path = absl::StrCat(folder, "/", kCheckpointManifestName);
  DDL_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(manifest_path, kMaxManifestBytes));
  const absl::StatusOr<Manifest> manifest = ParseManifest(bytes);
  if (!manifest.ok()) return Annotate(manifest.status(), folder);
  if (manifest->shards.size() != 1) {
    return absl::DataLossError(
        absl::StrCat(manifest_path, ": must name 1 shard, got ", manifest->shards.size()));
  }
  const ManifestShard& shard = manifest->shards.front();
  const std::string path = absl::StrCat(folder, "/", shard.file);
  DDL_ASSIGN_OR_RETURN(const std::string sha, Sha256HexOfFile(path));
  if (sha != shard.sha256) {
    return absl::DataLossError(
        absl::StrCat(path, ": SHA-256 must be ", shard.sha256, ", got ", sha));
  }
  DDL_ASSIGN_OR_RETURN(const SafetensorsFile file, SafetensorsFile::Open(path));
  absl::StatusOr<ModelDescription> description = DescribeModelOfSpec(manifest->spec);
  if (!description.ok()) return Annotate(description.status(), manifest_path);
  LoadedModel loaded = Build(*std::move(description));
  DDL_RETURN_IF_ERROR(CopyWeights(path, file, kCheckpointPrefix, &loaded.model->parameters()));
  return loaded;
}

absl::StatusOr<LoadedModel> LoadWeightFile(const std::string& path) {
  DDL_ASSIGN_OR_RETURN(const SafetensorsFile file, SafetensorsFile::Open(path));
  const auto json = file.metadata().find(kModelKey);
  if (json == file.metadata().end()) {
    return absl::DataLossError(
        absl::StrCat(path, ": metadata ", kModelKey, " is missing: no file of `ddl-rank init`"));
  }
  absl::StatusOr<ModelDescription> description = DescribeModelJson(json->second);
  if (!description.ok()) return Annotate(description.status(), path);
  LoadedModel loaded = Build(*std::move(description));
  const size_t count = loaded.model->parameters().all().size();
  if (file.tensors().size() != count) {
    return absl::DataLossError(
        absl::StrCat(path, ": must have ", count, " tensors, got ", file.tensors().size()));
  }
  DDL_RETURN_IF_ERROR(CopyWeights(path, file, "", &loaded.model->parameters()));
  return loaded;
}

}  // namespace

absl::Status WriteWeights(const std::string& path, const Transformer& model,
                          const ModelDescription& description, uint64_t seed) {
  std::vector<TensorView> views;
  for (const Parameter& parameter : model.parameters().all()) {
    const at::Tensor& value = parameter.value;
    views.push_back({.name = parameter.name,
                     .type = TensorType::kF32,
                     .shape = value.sizes().vec(),
                     .bytes = {static_cast<const char*>(value.data_ptr()), value.nbytes()}});
  }
  return WriteSafetensors(path, views,
                          {{kModelKey, description.json},
                           {"seed", absl::StrCat(seed)},
                           {"recipe_version", absl::StrCat(kRecipeVersion)}})
      .status();
}

absl::StatusOr<LoadedModel> LoadModel(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return LoadCheckpoint(path);
  return LoadWeightFile(path);
}

}  // namespace ddl
