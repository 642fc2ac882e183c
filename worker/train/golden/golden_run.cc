#include "worker/train/golden/golden_run.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/model/transformer.h"
#include "worker/optim/adamw.h"
#include "worker/train/golden/golden_model.h"

namespace ddl {
namespace {

constexpr int64_t kSteps = 5;
constexpr double kLearningRate = 1e-3;
constexpr double kLargestNorm = 1.0;
constexpr double kForwardTolerance = 5e-6;
constexpr double kGradientTolerance = 2e-5;
constexpr double kNormTolerance = 5e-5;
constexpr double kUpdateTolerance = 5e-3;

std::string BlockKey(int64_t layer) { return absl::StrCat("block_out/", layer); }

// (B,T,n,d) as the files have it: (B,T,d,n), or (B,T,d) for a state that is one vector.
at::Tensor AsGolden(const ModelConfig& config, const at::Tensor& state) {
  const bool vector =
      config.residual.compress == "none" && config.residual.kind != "hyper_connections";
  return vector ? state.squeeze(2) : state.transpose(2, 3);
}

// One reference file, its model and what the file says of it.
class Reference {
 public:
  Reference(const GoldenFile& file, const ModelConfig& config)
      : file_(file), model_(config, /*seed=*/0, at::kCPU) {}

  absl::Status Load();
  void Forward(GroupErrors* errors);
  void Gradients(GroupErrors* errors);
  void Train(GroupErrors* errors);

 private:
  absl::Status LoadTokens();
  absl::Status LoadWeights();
  absl::Status CheckOutputs();
  absl::Status CheckKeys() const;
  // Asks for a tensor, which so gets its counterpart.
  absl::Status Expect(const std::string& name, at::IntArrayRef shape, at::ScalarType type);
  const at::Tensor& At(const std::string& name) const { return file_.tensors.at(name); }
  at::Tensor Loss(const ForwardTaps& taps, at::Tensor* logits) const;

  const GoldenFile& file_;
  Transformer model_;
  std::set<std::string> expected_;
  at::Tensor loss_;  // With its graph, between Forward and Gradients.
};

absl::Status Reference::Expect(const std::string& name, at::IntArrayRef shape,
                               at::ScalarType type) {
  expected_.insert(name);
  DDL_ASSIGN_OR_RETURN(const at::Tensor tensor, file_.Tensor(name, shape));
  if (tensor.scalar_type() == type) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " must be of type ", type == at::kLong ? "I64" : "F32"));
}

absl::Status Reference::LoadTokens() {
  const auto found = file_.tensors.find("idx");
  if (found == file_.tensors.end()) {
    return absl::InvalidArgumentError("the file has no tensor idx");
  }
  if (found->second.dim() != 2 || found->second.numel() == 0) {
    return absl::InvalidArgumentError("idx must have two axes, batch and tokens, neither empty");
  }
  for (const char* name : {"idx", "tgt"}) {
    DDL_RETURN_IF_ERROR(Expect(name, found->second.sizes(), at::kLong));
    const int64_t vocabulary = model_.config().vocab_size;
    const at::Tensor& tokens = At(name);
    const int64_t least = tokens.min().item<int64_t>();
    const int64_t most = tokens.max().item<int64_t>();
    if (least >= 0 && most < vocabulary) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        name, " must have tokens from 0 to ", vocabulary - 1, ", got ", least < 0 ? least : most));
  }
  return absl::OkStatus();
}

absl::Status Reference::LoadWeights() {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : model_.parameters().all()) {
    for (const char* prefix : {"param/", "grad/", "train/param/"}) {
      DDL_RETURN_IF_ERROR(
          Expect(absl::StrCat(prefix, parameter.name), parameter.value.sizes(), at::kFloat));
    }
    at::Tensor(parameter.value).copy_(At(absl::StrCat("param/", parameter.name)));
  }
  return absl::OkStatus();
}

absl::Status Reference::CheckOutputs() {
  const ModelConfig& config = model_.config();
  const int64_t batch = At("idx").size(0);
  const int64_t tokens = At("idx").size(1);
  const bool streams = config.residual.kind == "hyper_connections";
  std::vector<int64_t> state = {batch, tokens, config.d_model};
  if (streams || config.residual.compress != "none") {
    state.push_back(streams ? config.residual.streams : config.residual.value_channels);
  }
  for (int64_t layer = 0; layer < config.n_layers; ++layer) {
    DDL_RETURN_IF_ERROR(Expect(BlockKey(layer), state, at::kFloat));
  }
  DDL_RETURN_IF_ERROR(Expect("logits", {batch, tokens, config.vocab_size}, at::kFloat));
  DDL_RETURN_IF_ERROR(Expect("loss", {1}, at::kFloat));
  DDL_RETURN_IF_ERROR(Expect("train/loss", {kSteps}, at::kFloat));
  return Expect("train/grad_norm", {kSteps}, at::kFloat);
}

absl::Status Reference::CheckKeys() const {
  for (const auto& [name, tensor] : file_.tensors) {
    if (expected_.count(name) > 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(name, " has no counterpart in a model of this variant"));
  }
  return absl::OkStatus();
}

absl::Status Reference::Load() {
  DDL_RETURN_IF_ERROR(LoadTokens());
  DDL_RETURN_IF_ERROR(LoadWeights());
  DDL_RETURN_IF_ERROR(CheckOutputs());
  return CheckKeys();
}

at::Tensor Reference::Loss(const ForwardTaps& taps, at::Tensor* logits) const {
  *logits = model_.Logits(At("idx"), taps);
  const at::Tensor& targets = At("tgt");
  return Transformer::LossSum(*logits, targets) / static_cast<double>(targets.numel());
}

void Reference::Forward(GroupErrors* errors) {
  std::vector<at::Tensor> states;
  at::Tensor logits;
  loss_ = Loss({.block_states = &states}, &logits);
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < states.size(); ++i) {
    const std::string name = BlockKey(static_cast<int64_t>(i));
    errors->Add("block_out", kForwardTolerance, name,
                LargestError(AsGolden(model_.config(), states[i]), At(name), LargestOf(At(name))));
  }
  errors->Add("logits", kForwardTolerance, "logits",
              LargestError(logits, At("logits"), LargestOf(At("logits"))));
  errors->Add("loss", kForwardTolerance, "loss",
              LargestError(loss_.reshape({1}), At("loss"), LargestOf(At("loss"))));
}

void Reference::Gradients(GroupErrors* errors) {
  loss_.backward();
  loss_ = at::Tensor();
  double largest = 0;
  for (const Parameter& parameter : model_.parameters().all()) {
    largest = std::max(largest, LargestOf(At(absl::StrCat("grad/", parameter.name))));
  }
  for (const Parameter& parameter : model_.parameters().all()) {
    const std::string name = absl::StrCat("grad/", parameter.name);
    // The floor is for sums that cancel, such as those of gate biases.
    const double scale = std::max(LargestOf(At(name)), largest / 10);
    errors->Add("grad", kGradientTolerance, name,
                LargestError(parameter.value.grad(), At(name), scale));
  }
}

void Reference::Train(GroupErrors* errors) {
  Parameters& parameters = model_.parameters();
  AdamW optimizer({.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1}, &parameters);
  at::Tensor losses = at::zeros({kSteps});
  at::Tensor norms = at::zeros({kSteps});
  at::Tensor logits;
  for (int64_t step = 0; step < kSteps; ++step) {
    at::Tensor(parameters.flat_gradients()).zero_();
    const at::Tensor loss = Loss({}, &logits);
    loss.backward();
    losses[step] = loss.detach();
    norms[step] = ClipGradients(parameters.flat_gradients(), kLargestNorm);
    optimizer.Step(kLearningRate);
  }
  errors->Add("train/loss", kForwardTolerance, "train/loss",
              LargestError(losses, At("train/loss"), LargestOf(At("train/loss"))));
  errors->Add("train/grad_norm", kNormTolerance, "train/grad_norm",
              LargestError(norms, At("train/grad_norm"), LargestOf(At("train/grad_norm"))));
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : parameters.all()) {
    const std::string name = absl::StrCat("train/param/", parameter.name);
    const at::Tensor& start = At(absl::StrCat("param/", parameter.name));
    errors->Add("train/param", kUpdateTolerance, name,
                NormError(parameter.value - start, At(name) - start));
  }
}

}  // namespace

absl::StatusOr<std::vector<GroupError>> RunGoldenModel(const GoldenFile& file) {
  DDL_ASSIGN_OR_RETURN(const ModelConfig config, GoldenModel(file));
  Reference reference(file, config);
  DDL_RETURN_IF_ERROR(reference.Load());
  GroupErrors errors;
  reference.Forward(&errors);
  reference.Gradients(&errors);
  reference.Train(&errors);
  return errors.all();
}

}  // namespace ddl
