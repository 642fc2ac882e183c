#include "worker/optim/adamw.h"

#include <ATen/core/grad_mode.h>

#include <vector>

#include "common/check.h"

namespace ddl {
namespace {

constexpr double kClipEps = 1e-6;

}  // namespace

AdamW::AdamW(const AdamWConfig& config, Parameters* parameters)
    : config_(config),
      parameters_(parameters),
      first_moment_(at::zeros_like(parameters->flat())),
      second_moment_(at::zeros_like(parameters->flat())),
      device_steps_(at::zeros({}, parameters->flat().options())) {}

void AdamW::set_steps(int64_t steps) {
  DDL_CHECK(steps >= 0);
  steps_ = steps;
  device_steps_.fill_(static_cast<double>(steps));
}

void AdamW::Step(double learning_rate) {
  const at::NoGradGuard no_grad;
  set_steps(steps_ + 1);
  const std::vector<at::Tensor> weights = {parameters_->flat()};
  const std::vector<at::Tensor> gradients = {parameters_->flat_gradients()};
  const std::vector<at::Tensor> first = {first_moment_};
  const std::vector<at::Tensor> second = {second_moment_};
  const std::vector<at::Tensor> steps = {device_steps_};
  at::_fused_adamw_(weights, gradients, first, second, /*max_exp_avg_sqs=*/{}, steps, learning_rate,
                    config_.beta1, config_.beta2, config_.weight_decay, config_.eps,
                    /*amsgrad=*/false, /*maximize=*/false);
}

at::Tensor ClipGradients(at::Tensor gradients, double max_norm) {
  const at::NoGradGuard no_grad;
  at::Tensor norm = at::linalg_vector_norm(gradients, 2);
  if (max_norm > 0) gradients.mul_((max_norm / (norm + kClipEps)).clamp_max(1.0));
  return norm;
}

}  // namespace ddl
