// The MLP's activation, one kernel each way: SwiGLU over the merged product [gate | up], or squared
// ReLU.
//
// N tokens, F = d_ff. Contract: F a multiple of 8 from 8 to 65536, N at least 1, pointers aligned
// to 16 bytes. Traffic of SwiGLU for each token: forward 3 F elements, backward 5 F.
#pragma once

#include <cstdint>

#include "kernels/element.h"
#include "kernels/launch.h"

namespace ddl::kernels {

enum class Activation {
  kSwiGlu,       // in (N, 2 F): gate, then up; out = gate sigmoid(gate) up
  kSquaredRelu,  // in (N, F); out = max(in, 0)^2
};

template <typename T>
struct ActivationForward {
  int64_t tokens = 0;
  int64_t d_ff = 0;
  Activation kind = Activation::kSwiGlu;
  const T* in = nullptr;
  T* out = nullptr;  // (N, F)
};

template <typename T>
struct ActivationBackward {
  int64_t tokens = 0;
  int64_t d_ff = 0;
  Activation kind = Activation::kSwiGlu;
  const T* in = nullptr;
  const T* d_out = nullptr;  // (N, F)
  T* d_in = nullptr;         // as `in`, which it may be
};

template <typename T>
Outcome CheckActivation(const ActivationForward<T>& call);
template <typename T>
Outcome CheckActivation(const ActivationBackward<T>& call);

template <typename T>
Outcome Launch(const ActivationForward<T>& call, Cpu place);
template <typename T>
Outcome Launch(const ActivationBackward<T>& call, Cpu place);
template <typename T>
Outcome Launch(const ActivationForward<T>& call, Gpu place);
template <typename T>
Outcome Launch(const ActivationBackward<T>& call, Gpu place);

}  // namespace ddl::kernels
