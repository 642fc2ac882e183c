// Softmax, loss and the gradient of the logits in one pass over each row, in place.
//
// N tokens, V vocabulary, rows of `stride` >= V elements; what lies behind V becomes 0. Contract:
// stride a multiple of 8, V at least 1, logits aligned to 16 bytes. Ideal traffic: each row read
// once and written once, 2 V elements a token.
#pragma once

#include <cstdint>

#include "kernels/element.h"
#include "kernels/launch.h"

namespace ddl::kernels {

template <typename T>
struct CrossEntropy {
  using R = Real<T>;
  int64_t tokens = 0;
  int64_t vocabulary = 0;
  int64_t stride = 0;
  // In: logits (N, stride). Out: the gradient, unless `loss_alone`.
  T* logits = nullptr;
  // (N). -1: a position without a loss. Any other id outside [0, V) makes that loss NaN.
  const int32_t* targets = nullptr;
  R logit_scale = 1;     // The loss is of logit_scale * logits (muP); above 0.
  R gradient_scale = 1;  // The gradient is of gradient_scale * sum of the losses.
  bool loss_alone = false;
  R* losses = nullptr;  // (N): log sum exp - logit of the target; 0 without a loss.
};

template <typename T>
Outcome CheckCrossEntropy(const CrossEntropy<T>& call);
template <typename T>
Outcome Launch(const CrossEntropy<T>& call, Cpu place);
template <typename T>
Outcome Launch(const CrossEntropy<T>& call, Gpu place);

}  // namespace ddl::kernels
