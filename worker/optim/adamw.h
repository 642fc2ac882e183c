// AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), in PyTorch's order
// of operations: w -= lr wd w, then w -= lr m^ / (sqrt(v^) + eps).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "worker/model/parameters.h"
#include "worker/optim/adamw_config.h"

namespace ddl {

class AdamW {
 public:
  // `parameters` are flattened and outlive this.
  AdamW(const AdamWConfig& config, Parameters* parameters);

  // Takes one step with the gradients as they are; they are left unchanged.
  void Step(double learning_rate);

  // State, shaped like parameters->flat(); a checkpoint reads it and a restart writes it.
  at::Tensor& first_moment() { return first_moment_; }
  at::Tensor& second_moment() { return second_moment_; }
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps);

 private:
  AdamWConfig config_;
  Parameters* parameters_;
  at::Tensor first_moment_, second_moment_;
  at::Tensor device_steps_;  // steps_ as the kernel wants it.
  int64_t steps_ = 0;
};

// The 2-norm of all gradients, as a scalar on the device. With max_norm > 0, gradients of a larger
// norm are scaled to it, by max_norm / (norm + 1e-6) as PyTorch does.
at::Tensor ClipGradients(at::Tensor gradients, double max_norm);

}  // namespace ddl
