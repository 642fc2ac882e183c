#include "worker/train/generate/weight_file.h"

#include <string>

#include "common/files.h"
#include "common/safetensors.h"
#include "tests/common/scratch_folder.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

using Catch::Matchers::Contains;

ModelDescription Small(const ScratchFolder& folder, const std::string& residual) {
  const std::string path = folder / "model.yaml";
  Spit(path, "d_model: 16\nn_layers: 1\nn_heads: 2\nmax_seq_len: 32\n");
  return DescribeModelFile(path, residual).value();
}

TEST_CASE("Weights that were written load into the same model") {
  const ScratchFolder folder;
  for (const char* residual : {"additive", "ddl/4/token", "hyper_connections/2"}) {
    INFO(residual);
    const ModelDescription description = Small(folder, residual);
    const Transformer model(description.config, 8, at::kCPU);
    const std::string path = folder / "w.safetensors";
    REQUIRE(WriteWeights(path, model, description, 8).ok());
    const auto loaded = LoadModel(path);
    REQUIRE(loaded.ok());
    CHECK(loaded->description.json == description.json);
    CHECK(loaded->description.max_seq_len == 32);
    CHECK(loaded->model->parameters().Sha256() == model.parameters().Sha256());
  }
}

TEST_CASE("A file that is not the model it says it is, is refused with the rule") {
  const ScratchFolder folder;
  const ModelDescription description = Small(folder, "additive");
  const Transformer model(description.config, 8, at::kCPU);
  const std::string path = folder / "w.safetensors";
  const auto refusal = [&](const ModelDescription& described) {
    REQUIRE(WriteWeights(path, model, described, 8).ok());
    const absl::Status status = LoadModel(path).status();
    CHECK(absl::IsDataLoss(status));
    return std::string(status.message());
  };
  CHECK_THAT(refusal(Small(folder, "ddl/1")), Contains("must have 21 tensors, got 13"));
  ModelDescription garbage = description;
  garbage.json = "{";
  CHECK_THAT(refusal(garbage), Contains("no JSON"));
  garbage.json = R"({"d_model": 3})";
  CHECK_THAT(refusal(garbage), Contains("model.d_model: must be at least 8, got 3"));
  garbage.json = R"({"unknown": 3})";
  CHECK_THAT(refusal(garbage), Contains("unknown"));
  REQUIRE(WriteSafetensors(path, {}, {}).ok());
  CHECK_THAT(std::string(LoadModel(path).status().message()),
             Contains("metadata model is missing: no file of `ddl-rank init`"));
  CHECK(absl::IsNotFound(LoadModel(folder / "nowhere").status()));
}

}  // namespace
}  // namespace ddl
