// The boundary as its parts one after the other, in double: what the fused kernels must equal. The
// gradient goes through X, never through Y in its place.
#pragma once

#include <random>
#include <vector>

#include "kernels/boundary.h"
#include "kernels/reference/heads.h"
#include "kernels/reference/rewrite.h"

namespace ddl::kernels {

// One boundary's inputs and what it must make of them; all as doubles.
struct BoundaryTruth {
  BoundaryShape shape;
  double k_eps = 1e-5;
  double norm_eps = 1e-5;
  double value_scale = 4;
  bool value_reads_c = false;
  bool has_heads = true;
  bool has_d_next = true;
  std::vector<double> state, h, v, beta, d_next, d_c, d_value_logits, d_gate_logit;
  std::vector<double> compressor, gain, value_weight, value_bias, gate_weight, gate_bias;

  std::vector<double> next_state, c, next_v, next_beta;
  std::vector<double> d_state, d_h, d_v_logits, d_beta_logit;
  std::vector<double> d_compressor, d_gain, d_value_weight, d_value_bias, d_gate_weight,
      d_gate_bias;
};

bool IsGated(const BoundaryShape& shape);
// Fills the inputs, rounded to T where the kernel reads T.
template <typename T>
void FillInputs(BoundaryTruth* truth, std::mt19937* random);
// Fills the outputs.
void ComputeTruth(BoundaryTruth* truth);

}  // namespace ddl::kernels
