#include "kernels/boundary.h"

namespace ddl::kernels {
namespace {

constexpr int64_t kMostTokens = 2147483647;

void RequireShape(const BoundaryShape& s, bool compressed, Contract* contract) {
  contract->Require(s.n == 1 || s.n == 2 || s.n == 4 || s.n == 8, "n must be 1, 2, 4 or 8")
      .Between("d", s.d, 32, 4096)
      .MultipleOf("d", s.d, 8)
      .Between("tokens", s.tokens, 1, kMostTokens)
      .Require(s.n == 1 || s.update != Update::kAdditive, "an additive state has n = 1")
      .Require(s.n == 1 || compressed, "n > 1 needs a compressor");
}

template <typename R>
void RequireWeights(const BoundaryWeights<R>& w, Contract* contract) {
  contract->Aligned("gain", w.gain, kVectorBytes)
      .AlignedIfGiven("compressor", w.compressor, kVectorBytes)
      .AlignedIfGiven("value_weight", w.value_weight, kVectorBytes)
      .AlignedIfGiven("gate_weight", w.gate_weight, kVectorBytes);
  if (w.value_weight != nullptr) contract->Aligned("value_bias", w.value_bias, sizeof(R));
  if (w.gate_weight != nullptr) contract->Aligned("gate_bias", w.gate_bias, sizeof(R));
}

bool Gated(const BoundaryShape& s) {
  return s.update == Update::kWriteOnly || s.update == Update::kDdl;
}

}  // namespace

template <typename T>
Outcome CheckBoundary(const BoundaryForward<T>& call) {
  constexpr int64_t kScalar = sizeof(Real<T>);
  Contract contract("boundary forward");
  RequireShape(call.shape, call.weights.compressor != nullptr, &contract);
  RequireWeights(call.weights, &contract);
  contract.Aligned("state", call.state, kVectorBytes)
      .Aligned("c", call.c, kVectorBytes)
      .Aligned("inverse_rms", call.inverse_rms, kScalar);
  if (call.shape.update != Update::kNone) {
    contract.Aligned("h", call.h, kVectorBytes)
        .Aligned("next_state", call.next_state, kVectorBytes);
  }
  if (Gated(call.shape)) {
    contract.Aligned("v", call.v, kScalar)
        .Aligned("beta", call.beta, kScalar)
        .Aligned("h_norm", call.h_norm, kScalar)
        .Aligned("row", call.row, kScalar);
  }
  if (call.weights.value_weight != nullptr) contract.Aligned("next_v", call.next_v, kScalar);
  if (call.weights.gate_weight != nullptr) contract.Aligned("next_beta", call.next_beta, kScalar);
  return contract.outcome();
}

template <typename T>
Outcome CheckBoundary(const BoundaryBackward<T>& call) {
  constexpr int64_t kScalar = sizeof(Real<T>);
  Contract contract("boundary backward");
  RequireShape(call.shape, call.weights.compressor != nullptr, &contract);
  RequireWeights(call.weights, &contract);
  contract.Aligned("next_state", call.next_state, kVectorBytes)
      .AlignedIfGiven("d_next_state", call.d_next_state, kVectorBytes)
      .Aligned("d_c", call.d_c, kVectorBytes)
      .Aligned("d_state", call.d_state, kVectorBytes)
      .Aligned("inverse_rms", call.inverse_rms, kScalar)
      .Aligned("d_gain", call.d_gain, kScalar);
  if (Gated(call.shape)) {
    contract.Aligned("h", call.h, kVectorBytes)
        .Aligned("d_h", call.d_h, kVectorBytes)
        .Aligned("v", call.v, kScalar)
        .Aligned("beta", call.beta, kScalar)
        .Aligned("h_norm", call.h_norm, kScalar)
        .Aligned("row", call.row, kScalar)
        .Aligned("d_v_logits", call.d_v_logits, kScalar)
        .Aligned("d_beta_logit", call.d_beta_logit, kScalar);
  }
  if (call.weights.compressor != nullptr) {
    contract.Aligned("d_compressor", call.d_compressor, kScalar);
  }
  if (call.weights.value_weight != nullptr) {
    contract.Aligned("d_value_logits", call.d_value_logits, kScalar)
        .Aligned("d_value_weight", call.d_value_weight, kScalar)
        .Aligned("d_value_bias", call.d_value_bias, kScalar);
  }
  if (call.weights.gate_weight != nullptr) {
    contract.Aligned("d_gate_logit", call.d_gate_logit, kScalar)
        .Aligned("d_gate_weight", call.d_gate_weight, kScalar)
        .Aligned("d_gate_bias", call.d_gate_bias, kScalar);
  }
  return contract.outcome();
}

template Outcome CheckBoundary(const BoundaryForward<float>&);
template Outcome CheckBoundary(const BoundaryForward<double>&);
template Outcome CheckBoundary(const BoundaryForward<Bf16>&);
template Outcome CheckBoundary(const BoundaryBackward<float>&);
template Outcome CheckBoundary(const BoundaryBackward<double>&);
template Outcome CheckBoundary(const BoundaryBackward<Bf16>&);

}  // namespace ddl::kernels
