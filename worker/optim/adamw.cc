#include "worker/optim/adamw.h"

#include <ATen/core/grad_mode.h>

#include <utility>
#include <vector>

#include "common/check.h"

namespace ddl {
namespace {

constexpr double kClipEps = 1e-6;

}  // namespace

AdamW::AdamW(const AdamWConfig& config, Parameters* parameters)
    : AdamW(config, {parameters->flat()}, {parameters->flat_gradients()}) {}

AdamW::AdamW(const AdamWConfig& config, std::vector<at::Tensor> weights,
             std::vector<at::Tensor> gradients)
    : config_(config), weights_(std::move(weights)), gradients_(std::move(gradients)) {
  DDL_CHECK(!weights_.empty() && weights_.size() == gradients_.size());
  for (const at::Tensor& weight : weights_) {
    first_moments_.push_back(at::zeros_like(weight));
    second_moments_.push_back(at::zeros_like(weight));
  }
  device_steps_ = at::zeros({}, weights_.front().options());
}

void AdamW::set_steps(int64_t steps) {
  DDL_CHECK(steps >= 0);
  steps_ = steps;
  device_steps_.fill_(static_cast<double>(steps));
}

void AdamW::Step(double learning_rate) {
  const at::NoGradGuard no_grad;
  set_steps(steps_ + 1);
  const std::vector<at::Tensor> steps(weights_.size(), device_steps_);  // The kernel only reads it.
  at::_fused_adamw_(weights_, gradients_, first_moments_, second_moments_, /*max_exp_avg_sqs=*/{},
                    steps, learning_rate, config_.beta1, config_.beta2, config_.weight_decay,
                    config_.eps, /*amsgrad=*/false, /*maximize=*/false);
}

at::Tensor ClipGradients(at::Tensor gradients, double max_norm) {
  const at::NoGradGuard no_grad;
  at::Tensor norm = at::linalg_vector_norm(gradients, 2);
  if (max_norm > 0) gradients.mul_((max_norm / (norm + kClipEps)).clamp_max(1.0));
  return norm;
}

}  // namespace ddl
