#include "worker/train/generate/init_verb.h"

#include <cstdint>

#include "absl/status/status.h"
#include "common/flags.h"
#include "common/status.h"
#include "worker/train/generate/weight_file.h"

namespace ddl {
namespace {

constexpr int kExitBadModel = 2;
constexpr int64_t kLargestSeed = 9007199254740991;  // As the spec's key `seed`.

absl::Status WriteInitial(const std::vector<std::string>& arguments, std::ostream& out) {
  std::string model_path;
  std::string residual;
  std::string path;
  int64_t seed = 1;
  Flags flags("ddl-rank", "init --model FILE --out F.safetensors",
              "Writes the initial weights of a model.");
  flags.String("model", "FILE", "A model file (configs/models) or an experiment.", &model_path);
  flags.String("residual", "R", "KIND, KIND/N, ddl/N/token or {kind: ddl, ...}.", &residual);
  flags.Int("seed", "S", "Of the streams (1).", 0, kLargestSeed, &seed);
  flags.String("out", "FILE", "Where the weights go; it is replaced.", &path);
  DDL_RETURN_IF_ERROR(flags.Parse(arguments));
  if (model_path.empty() || path.empty()) {
    return absl::InvalidArgumentError("init needs --model FILE and --out FILE");
  }
  DDL_ASSIGN_OR_RETURN(const ModelDescription description, DescribeModelFile(model_path, residual));
  const auto first = static_cast<uint64_t>(seed);
  const Transformer model(description.config, first, at::kCPU);
  DDL_RETURN_IF_ERROR(WriteWeights(path, model, description, first));
  out << path << ": " << model.parameters().count() << " parameters, sha256 "
      << model.parameters().Sha256() << "\n";
  return absl::OkStatus();
}

}  // namespace

int InitVerb(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& error) {
  const absl::Status status = WriteInitial(arguments, out);
  if (status.ok()) return 0;
  error << "ddl-rank: " << status.message() << "\n";
  return kExitBadModel;
}

}  // namespace ddl
