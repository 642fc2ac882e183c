// The optimizer of a whole model: groups of weights, each under its own rule (ddl.md section 4).
//
//   paper  AdamW on everything.
//   seed   Muon on matrices except the embedding, AdamW on the rest.
//
// Weights that say so are not decayed. One thread uses it.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "worker/model/parameters.h"
#include "worker/optim/adamw.h"
#include "worker/optim/muon.h"
#include "worker/optim/optimizer_config.h"

namespace ddl {

struct NamedTensor {
  std::string name;
  at::Tensor value;
};

class Optimizer {
 public:
  // `parameters` are flattened and outlive this.
  Optimizer(const OptimizerConfig& config, Parameters* parameters);

  // Takes one step with the gradients as they are, at `factor` times each group's peak rate.
  void Step(double factor);
  // The learning rate that charts show: Muon's where there is Muon, else AdamW's.
  double Rate(double factor) const {
    return factor * (config_.use_muon ? config_.muon_peak : config_.adamw_peak);
  }

  // What a checkpoint has to keep, as views that a restart writes to: "first_moment/<weight>" of
  // every weight (Muon's momentum is its first), then "second_moment/<weight>" of AdamW's.
  const std::vector<NamedTensor>& state() const { return state_; }
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps);

  // Names of the weights that Muon moves, in order.
  std::vector<std::string> MuonWeights() const;

 private:
  struct Matrix {
    std::string name;
    at::Tensor weight, gradient, momentum;
  };
  void AddAdamW(const AdamWConfig& config, const std::vector<const Parameter*>& held);

  OptimizerConfig config_;
  Parameters* parameters_;
  std::vector<AdamW> adamw_;  // One for each decay.
  std::vector<Matrix> muon_;
  std::vector<NamedTensor> state_;
  int64_t steps_ = 0;
};

}  // namespace ddl
