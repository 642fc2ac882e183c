// The second layer of a two-layer gate, one kernel each way; the first layer's product W1 c and its
// way back are GEMMs beside it. And the fold of a channel compressor to one weight, each way.
//
// N tokens, Q hidden features. Contract of the gate: Q from 1 to 4096, pointers aligned to 16
// bytes. Contract of the fold: n from 1 to 8, taps from 1 to n, d at least 1. Sums have a fixed
// order.
#pragma once

#include <cstdint>

#include "kernels/element.h"
#include "kernels/launch.h"

namespace ddl::kernels {

// hidden = tanh(in); beta = 2 sigmoid(weight . hidden + bias).
template <typename T>
struct GateForward {
  using R = Real<T>;
  int64_t tokens = 0;
  int64_t width = 0;          // Q
  const T* in = nullptr;      // (N, Q): W1 c
  const R* weight = nullptr;  // (Q)
  const R* bias = nullptr;    // (1)
  T* hidden = nullptr;        // (N, Q); may be `in`
  R* beta = nullptr;          // (N)
};

template <typename T>
struct GateBackward {
  using R = Real<T>;
  int64_t tokens = 0;
  int64_t width = 0;
  const T* hidden = nullptr;  // as the forward wrote it
  const R* weight = nullptr;
  const R* d_logit = nullptr;  // (N): BoundaryBackward::d_beta_logit
  T* d_in = nullptr;           // (N, Q); may be `hidden`
  R* d_weight = nullptr;       // (Q), added to
  R* d_bias = nullptr;         // (1), added to
  R* workspace = nullptr;      // GateWorkspace(width) values; unread by Cpu
  int64_t workspace_size = 0;
};
int64_t GateWorkspace(int64_t width);

// w_eff (n, d) of a convolution along the channels with kernel (d, taps), left pad (taps - 1) / 2,
// and the read vector (n): x[i] = sum_j w_eff[j][i] X[j][i].
template <typename R>
struct CompressorFold {
  int64_t n = 1;
  int64_t d = 0;
  int64_t taps = 1;
  const R* kernel = nullptr;
  const R* read = nullptr;
  R* folded = nullptr;  // (n, d)
};
template <typename R>
struct CompressorUnfold {
  int64_t n = 1;
  int64_t d = 0;
  int64_t taps = 1;
  const R* kernel = nullptr;
  const R* read = nullptr;
  const R* d_folded = nullptr;  // (n, d)
  R* d_kernel = nullptr;        // (d, taps), added to
  R* d_read = nullptr;          // (n), added to
};

template <typename T>
Outcome CheckGate(const GateForward<T>& call);
template <typename T>
Outcome CheckGate(const GateBackward<T>& call);
template <typename R>
Outcome CheckFold(const CompressorFold<R>& call);
template <typename R>
Outcome CheckFold(const CompressorUnfold<R>& call);

template <typename T>
Outcome Launch(const GateForward<T>& call, Cpu place);
template <typename T>
Outcome Launch(const GateBackward<T>& call, Cpu place);
template <typename R>
Outcome Launch(const CompressorFold<R>& call, Cpu place);
template <typename R>
Outcome Launch(const CompressorUnfold<R>& call, Cpu place);
template <typename T>
Outcome Launch(const GateForward<T>& call, Gpu place);
template <typename T>
Outcome Launch(const GateBackward<T>& call, Gpu place);
template <typename R>
Outcome Launch(const CompressorFold<R>& call, Gpu place);
template <typename R>
Outcome Launch(const CompressorUnfold<R>& call, Gpu place);

}  // namespace ddl::kernels
