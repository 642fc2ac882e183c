#include "worker/train/training_step.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <optional>

#include "common/status.h"

namespace ddl {
BatchPlan PlanOf(const Launch& launch) {
  return {.sequences = launch.train.step_sequences,
          .micro_sequences = launch.train.micro_sequences,
          .ranks = launch.world_size,
          .rank = launch.rank};
}

TrainingStep::TrainingStep(const Launch& launch, Transformer* model, Optimizer* optimizer,
                           BatchLoader* loader, Collective* collective)
    : launch_(launch),
      model_(model),
      optimizer_(optimizer),
      loader_(loader),
      collective_(collective) {}

at::Tensor TrainingStep::Accumulate(GateStatistics* gates, StepResult* result, PhaseTimes* times) {
  const at::Device device = model_->device();
  const auto step_answers = static_cast<double>(loader_->StepAnswers());
  at::Tensor loss_sum = at::zeros({}, at::TensorOptions().dtype(at::kDouble).device(device));
  Stopwatch watch;
  for (int64_t i = 0; i < PlanOf(launch_).MicroBatches(); ++i) {
    const Batch batch = loader_->Next();
    const at::Tensor indices = batch.indices.to(device);
    const at::Tensor targets = batch.targets.to(device);
    const double waited = watch.Lap();
    result->data_wait_seconds += waited;
    result->data_read_bytes += batch.read_bytes * collective_->size();
    times->Add(Phase::kData, waited);

    const at::Tensor logits = model_->Logits(indices, {.gates = gates});
    const at::Tensor loss = Transformer::LossSum(logits, targets) / step_answers;
    times->Add(Phase::kForward, watch.Lap());

    loss.backward();
    loss_sum += loss.detach();
    times->Add(Phase::kBackward, watch.Lap());
  }
  return loss_sum;
}

absl::Status TrainingStep::Reduce(const at::Tensor& loss, double own_seconds, bool drain,
                                  GateStatistics* gates, StepResult* result) {
  const at::NoGradGuard no_grad;
  const int64_t ranks = collective_->size();
  at::Tensor gradients = model_->parameters().flat_gradients();
  DDL_RETURN_IF_ERROR(collective_->Sum(gradients));
  const at::Tensor flag = at::full({1}, drain ? 1.0 : 0.0, loss.options());
  at::Tensor seconds = at::zeros({ranks}, loss.options());
  seconds[collective_->rank()] = own_seconds;
  at::Tensor sums = at::cat({loss.reshape({1}), flag, seconds});
  if (gates != nullptr) sums = at::cat({sums, gates->Sums().reshape(-1)});
  DDL_RETURN_IF_ERROR(collective_->Sum(sums));
  if (ranks > 1) {
    result->comm_bytes = static_cast<int64_t>(gradients.nbytes() + sums.nbytes());
  }
  sums = sums.to(at::kCPU);
  result->loss = sums[0].item<double>();
  result->drain = sums[1].item<double>() > 0;
  if (gates != nullptr) {
    const int64_t first = 2 + ranks;
    result->gate_sums = sums.narrow(0, first, sums.numel() - first).view(gates->Sums().sizes());
  }
  for (int64_t rank = 0; ranks > 1 && rank < ranks; ++rank) {
    result->rank_seconds.push_back(sums[2 + rank].item<double>());
  }
  return absl::OkStatus();
}

absl::StatusOr<StepResult> TrainingStep::Run(bool observe_gates, bool drain, Progress* progress,
                                             PhaseTimes* times) {
  Stopwatch whole;
  StepResult result;
  const int64_t tokens = progress->tokens + launch_.train.StepTokens();
  const double factor = RateFactor(launch_.schedule, tokens);
  result.learning_rate = optimizer_->Rate(factor);
  std::optional<GateStatistics> gates;
  if (observe_gates) gates.emplace(model_->config().n_layers, model_->device());
  GateStatistics* const seen = gates ? &*gates : nullptr;

  at::Tensor gradients = model_->parameters().flat_gradients();
  gradients.zero_();
  const at::Tensor loss = Accumulate(seen, &result, times);
  if (collective_->size() > 1) loss.item<double>();  // The device has worked, not only been told.
  const double own_seconds = whole.Passed();
  Stopwatch watch;
  DDL_RETURN_IF_ERROR(Reduce(loss, own_seconds, drain, seen, &result));
  const double reduced = watch.Lap();
  times->Add(Phase::kAllreduce, reduced);
  if (collective_->size() > 1) result.comm_seconds = reduced;

  result.gradient_norm = ClipGradients(gradients, launch_.train.grad_clip).item<double>();
  result.finite = std::isfinite(result.loss) && std::isfinite(result.gradient_norm);
  if (result.finite) {
    result.clipped = launch_.train.grad_clip > 0 && result.gradient_norm > launch_.train.grad_clip;
    optimizer_->Step(factor);
  }
  times->Add(Phase::kOptimizer, watch.Lap());

  result.seconds = whole.Lap();
  progress->step += 1;
  progress->tokens = tokens;
  progress->optimizer_steps = optimizer_->steps();
  progress->active_seconds += result.seconds;
  progress->finite = result.finite;
  return result;
}

}  // namespace ddl
