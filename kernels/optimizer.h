// The optimizer over flat arenas: global norm with its clip factor, AdamW that also writes the
// weights that GEMMs read, and Muon's elementwise parts (its products are GEMMs).
//
// Masters, gradients and moments are R = Real<T>; weights are T. Learning rate, step count and clip
// factor are scalars in the memory of the place, so that a recorded graph of launches needs no
// change from step to step. Contract: counts from 1 to 2^40; arrays aligned to 16 bytes.
#pragma once

#include <cstdint>

#include "kernels/element.h"
#include "kernels/launch.h"

namespace ddl::kernels {

// norm = sqrt(sum of squares); clip = min(1, max_norm / (norm + 1e-6)) as PyTorch does, 1 with
// max_norm 0. A NaN or an infinity among the gradients shows in norm. The sum has a fixed order.
template <typename T>
struct GlobalNorm {
  using R = Real<T>;
  int64_t count = 0;
  const R* gradients = nullptr;
  double max_norm = 0;
  R* norm = nullptr;       // (1)
  R* clip = nullptr;       // (1)
  R* workspace = nullptr;  // kNormWorkspace values; unread by Cpu
};
inline constexpr int64_t kNormWorkspace = 1024;

// AdamW with decoupled weight decay in PyTorch's order: w -= lr wd w, then
// w -= lr m^ / (sqrt(v^) + eps). Traffic: 28 bytes an element and those of the weight.
template <typename T>
struct AdamW {
  using R = Real<T>;
  int64_t count = 0;
  R* masters = nullptr;
  const R* gradients = nullptr;
  R* first_moment = nullptr;
  R* second_moment = nullptr;
  T* weights = nullptr;              // null: masters alone
  const R* learning_rate = nullptr;  // (1)
  const int64_t* step = nullptr;     // (1), from 1
  const R* clip = nullptr;           // (1), multiplies the gradient; null: 1
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0;
};

// momentum = mu momentum + (1 - mu) g with g = clip * gradient, and direction = (1 - mu) g +
// mu momentum with Nesterov, else the momentum.
template <typename T>
struct MuonMomentum {
  using R = Real<T>;
  int64_t count = 0;
  const R* gradients = nullptr;
  R* momentum = nullptr;
  T* direction = nullptr;
  const R* clip = nullptr;  // (1); null: 1
  double mu = 0.95;
  bool nesterov = true;
};

// x = x / (1.01 ||x|| + 1e-7), in place; the norm's sum has a fixed order.
template <typename T>
struct MuonNormalize {
  using R = Real<T>;
  int64_t count = 0;
  T* x = nullptr;
  R* workspace = nullptr;  // kNormWorkspace values; unread by Cpu
};

// out = b A + c A^2, of A and its square: one Polar Express step's polynomial.
template <typename T>
struct MuonPolynomial {
  int64_t count = 0;
  const T* a = nullptr;
  const T* square = nullptr;
  T* out = nullptr;  // may be `square`
  double b = 0;
  double c = 0;
};

// master = master (1 - lr wd) - lr scale * direction; weight = master.
template <typename T>
struct MuonApply {
  using R = Real<T>;
  int64_t count = 0;
  R* masters = nullptr;
  const T* direction = nullptr;
  T* weights = nullptr;              // null: masters alone
  const R* learning_rate = nullptr;  // (1)
  double scale = 1;                  // sqrt(max(1, rows / columns))
  double weight_decay = 0;
};

template <typename T>
Outcome CheckOptimizer(const GlobalNorm<T>& call);
template <typename T>
Outcome CheckOptimizer(const AdamW<T>& call);
template <typename T>
Outcome CheckOptimizer(const MuonMomentum<T>& call);
template <typename T>
Outcome CheckOptimizer(const MuonNormalize<T>& call);
template <typename T>
Outcome CheckOptimizer(const MuonPolynomial<T>& call);
template <typename T>
Outcome CheckOptimizer(const MuonApply<T>& call);

template <typename T>
Outcome Launch(const GlobalNorm<T>& call, Cpu place);
template <typename T>
Outcome Launch(const AdamW<T>& call, Cpu place);
template <typename T>
Outcome Launch(const MuonMomentum<T>& call, Cpu place);
template <typename T>
Outcome Launch(const MuonNormalize<T>& call, Cpu place);
template <typename T>
Outcome Launch(const MuonPolynomial<T>& call, Cpu place);
template <typename T>
Outcome Launch(const MuonApply<T>& call, Cpu place);

template <typename T>
Outcome Launch(const GlobalNorm<T>& call, Gpu place);
template <typename T>
Outcome Launch(const AdamW<T>& call, Gpu place);
template <typename T>
Outcome Launch(const MuonMomentum<T>& call, Gpu place);
template <typename T>
Outcome Launch(const MuonNormalize<T>& call, Gpu place);
template <typename T>
Outcome Launch(const MuonPolynomial<T>& call, Gpu place);
template <typename T>
Outcome Launch(const MuonApply<T>& call, Gpu place);

}  // namespace ddl::kernels
