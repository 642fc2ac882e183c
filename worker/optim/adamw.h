// AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), in PyTorch's order
// of operations: w -= lr wd w, then w -= lr m^ / (sqrt(v^) + eps).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "worker/model/parameters.h"
#include "worker/optim/adamw_config.h"

namespace ddl {

class AdamW {
 public:
  // Moves all of `parameters`, which are flattened and outlive this.
  AdamW(const AdamWConfig& config, Parameters* parameters);
  // Moves `weights` along `gradients`, shape by shape.
  AdamW(const AdamWConfig& config, std::vector<at::Tensor> weights,
        std::vector<at::Tensor> gradients);

  // Takes one step with the gradients as they are; they are left unchanged.
  void Step(double learning_rate);

  // State, shaped like the weights; a checkpoint reads it and a restart writes it.
  const std::vector<at::Tensor>& first_moments() const { return first_moments_; }
  const std::vector<at::Tensor>& second_moments() const { return second_moments_; }
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps);

 private:
  AdamWConfig config_;
  std::vector<at::Tensor> weights_, gradients_;
  std::vector<at::Tensor> first_moments_, second_moments_;
  at::Tensor device_steps_;  // steps_ as the kernel wants it.
  int64_t steps_ = 0;
};

// The 2-norm of all gradients, as a scalar on the device. With max_norm > 0, gradients of a larger
// norm are scaled to it, by max_norm / (norm + 1e-6) as PyTorch does.
at::Tensor ClipGradients(at::Tensor gradients, double max_norm);

}  // namespace ddl
