#include "worker/train/checkpoint.h"

#include <ATen/core/grad_mode.h>

#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/check.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/status.h"
#include "worker/model/random_stream.h"

namespace ddl {
namespace {

constexpr absl::string_view kShardName = "shard-0.safetensors";
constexpr absl::string_view kOptimizerSteps = "optimizer_steps";

// All state of a run that is tensors, as views of it, in the order of the file.
std::vector<NamedTensor> StateOf(const Parameters& parameters, const Optimizer& optimizer) {
  std::vector<NamedTensor> tensors;
  for (const Parameter& parameter : parameters.all()) {
    tensors.push_back({absl::StrCat("weights/", parameter.name),
                       Parameters::Slice(parameters.flat(), parameter)});
  }
  tensors.insert(tensors.end(), optimizer.state().begin(), optimizer.state().end());
  return tensors;
}

std::vector<TensorView> Views(const Snapshot& snapshot) {
  std::vector<TensorView> views;
  for (const NamedTensor& tensor : snapshot.tensors) {
    views.push_back(
        {.name = tensor.name,
         .type = TensorType::kF32,
         .shape = tensor.value.sizes().vec(),
         .bytes = {static_cast<const char*>(tensor.value.data_ptr()), tensor.value.nbytes()}});
  }
  return views;
}

absl::Status Bad(const std::string& path, absl::string_view rule) {
  return absl::DataLossError(absl::StrCat(path, ": ", rule));
}

absl::Status CheckManifest(const std::string& path, const Manifest& manifest, const Launch& launch,
                           const CheckpointReference& reference) {
  if (manifest.run != launch.run) {
    return Bad(path, absl::StrCat("run must be ", launch.run, ", got ", manifest.run));
  }
  if (manifest.step != reference.step || manifest.epoch != reference.epoch) {
    return Bad(path,
               absl::StrCat("must be of step ", reference.step, " and epoch ", reference.epoch,
                            ", got ", manifest.step, " and ", manifest.epoch));
  }
  if (manifest.recipe_version != kRecipeVersion) {
    return Bad(path, absl::StrCat("recipe_version must be ", kRecipeVersion, ", got ",
                                  manifest.recipe_version));
  }
  if (manifest.shards.size() != 1) {
    return Bad(path, absl::StrCat("must name 1 shard, got ", manifest.shards.size()));
  }
  return absl::OkStatus();
}

// That the file has exactly the tensors of `state`, in their shapes.
absl::Status CheckTensors(const std::string& path, const SafetensorsFile& shard,
                          const std::vector<NamedTensor>& state) {
  for (const NamedTensor& wanted : state) {
    const TensorView* const tensor = shard.Find(wanted.name);
    if (tensor == nullptr) return Bad(path, absl::StrCat("tensor ", wanted.name, " is missing"));
    const std::vector<int64_t> shape = wanted.value.sizes().vec();
    if (tensor->type != TensorType::kF32 || tensor->shape != shape) {
      return Bad(path,
                 absl::StrCat("tensor ", wanted.name, " must be F32 of shape [",
                              absl::StrJoin(shape, ","), "], got ", TensorTypeName(tensor->type),
                              " of shape [", absl::StrJoin(tensor->shape, ","), "]"));
    }
  }
  if (shard.tensors().size() != state.size()) {
    return Bad(path,
               absl::StrCat("must have ", state.size(), " tensors, got ", shard.tensors().size()));
  }
  int64_t steps = 0;
  const auto found = shard.metadata().find(std::string(kOptimizerSteps));
  if (found == shard.metadata().end() || !absl::SimpleAtoi(found->second, &steps) || steps < 0) {
    return Bad(path, "metadata optimizer_steps must be a number of steps");
  }
  return absl::OkStatus();
}

}  // namespace

Snapshot TakeSnapshot(const Progress& progress, const Parameters& parameters,
                      const Optimizer& optimizer) {
  const at::NoGradGuard no_grad;
  Snapshot snapshot{.progress = progress, .tensors = StateOf(parameters, optimizer)};
  for (NamedTensor& tensor : snapshot.tensors) {
    // A view shares its memory with what training goes on to change.
    tensor.value = tensor.value.is_cpu() ? tensor.value.clone() : tensor.value.to(at::kCPU);
  }
  return snapshot;
}

absl::StatusOr<WrittenCheckpoint> WriteCheckpoint(const std::string& attempt_folder,
                                                  const Snapshot& snapshot, Manifest manifest) {
  const std::string name = absl::StrCat("step-", snapshot.progress.step);
  const std::string folder = absl::StrCat(attempt_folder, "/", name);
  auto remover = absl::MakeCleanup([&folder] { RemoveTree(folder).IgnoreError(); });
  DDL_RETURN_IF_ERROR(MakeFolders(folder));
  std::map<std::string, std::string> metadata = {
      {std::string(kOptimizerSteps), absl::StrCat(snapshot.progress.optimizer_steps)}};
  if (!snapshot.parameters_sha256.empty()) {
    metadata["parameters_sha256"] = snapshot.parameters_sha256;
  }
  DDL_ASSIGN_OR_RETURN(
      const WrittenFile shard,
      WriteSafetensors(absl::StrCat(folder, "/", kShardName), Views(snapshot), metadata));
  const auto shard_bytes = static_cast<uint64_t>(shard.bytes);
  manifest.shards = {
      {.file = std::string(kShardName), .bytes = shard_bytes, .sha256 = shard.sha256}};
  const std::string bytes = SerializeManifest(manifest);
  // The folder's own name has to be durable before the manifest makes it a checkpoint.
  DDL_RETURN_IF_ERROR(SyncFolder(attempt_folder));
  DDL_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(folder, "/", kCheckpointManifestName), bytes));
  std::move(remover).Cancel();
  return WrittenCheckpoint{
      .folder = name, .manifest_sha256 = Sha256Hex(bytes), .bytes = shard_bytes + bytes.size()};
}

absl::StatusOr<VerifiedCheckpoint> VerifyCheckpoint(const Launch& launch,
                                                    const CheckpointReference& reference,
                                                    const Parameters& parameters,
                                                    const Optimizer& optimizer) {
  const std::string folder = absl::StrCat(launch.checkpoint_root, "/", reference.folder);
  const std::string manifest_path = absl::StrCat(folder, "/", kCheckpointManifestName);
  DDL_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(manifest_path, kMaxManifestBytes));
  if (const std::string sha = Sha256Hex(bytes); sha != reference.manifest_sha256) {
    return Bad(manifest_path,
               absl::StrCat("SHA-256 must be ", reference.manifest_sha256, ", got ", sha));
  }
  absl::StatusOr<Manifest> manifest = ParseManifest(bytes);
  if (!manifest.ok()) return Annotate(manifest.status(), folder);
  DDL_RETURN_IF_ERROR(CheckManifest(manifest_path, *manifest, launch, reference));

  const ManifestShard& wanted = manifest->shards.front();
  const std::string shard_path = absl::StrCat(folder, "/", wanted.file);
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(shard_path, error);
  if (error) return Bad(shard_path, error.message());
  if (size != wanted.bytes) {
    return Bad(shard_path, absl::StrCat("must have ", wanted.bytes, " bytes, got ", size));
  }
  DDL_ASSIGN_OR_RETURN(const std::string sha, Sha256HexOfFile(shard_path));
  if (sha != wanted.sha256) {
    return Bad(shard_path, absl::StrCat("SHA-256 must be ", wanted.sha256, ", got ", sha));
  }
  DDL_ASSIGN_OR_RETURN(SafetensorsFile shard, SafetensorsFile::Open(shard_path));
  DDL_RETURN_IF_ERROR(CheckTensors(shard_path, shard, StateOf(parameters, optimizer)));
  return VerifiedCheckpoint{*std::move(manifest), std::move(shard)};
}

Progress Restore(const VerifiedCheckpoint& checkpoint, Parameters* parameters,
                 Optimizer* optimizer) {
  const at::NoGradGuard no_grad;
  for (const NamedTensor& state : StateOf(*parameters, *optimizer)) {
    const TensorView* const tensor = checkpoint.shard.Find(state.name);
    DDL_CHECK(tensor != nullptr);
    const at::Tensor staged = at::empty(state.value.sizes(), at::kFloat);
    DDL_CHECK(tensor->bytes.size() == staged.nbytes());
    std::memcpy(staged.data_ptr(), tensor->bytes.data(), tensor->bytes.size());
    state.value.copy_(staged);
  }
  const Manifest& manifest = checkpoint.manifest;
  int64_t steps = 0;
  DDL_CHECK(absl::SimpleAtoi(checkpoint.shard.metadata().at(std::string(kOptimizerSteps)), &steps));
  optimizer->set_steps(steps);
  return {.step = manifest.step,
          .tokens = manifest.tokens,
          .optimizer_steps = steps,
          .active_seconds = manifest.active_seconds,
          .best_val_loss = manifest.best_val_loss,
          .finite = manifest.finite};
}

}  // namespace ddl
