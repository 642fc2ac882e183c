#include "kernels/gpu_parts.h"
#include "kernels/optimizer.h"

namespace ddl::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocksEach = 8;
constexpr int kVector = 4;

int BlocksFor(int64_t count) {
  const int64_t most = int64_t{MultiprocessorCount()} * kBlocksEach;
  const int64_t needed = (count + kThreads * kVector - 1) / (kThreads * kVector);
  return static_cast<int>(needed < most ? needed : most);
}

// Calls body.Four(i) for whole vectors and body.One(i) for the tail.
template <typename Body>
__device__ __forceinline__ void EachElement(int64_t count, const Body& body) {
  const int64_t step = int64_t{gridDim.x} * kThreads * kVector;
  const int64_t first = (int64_t{blockIdx.x} * kThreads + threadIdx.x) * kVector;
  for (int64_t i = first; i < count; i += step) {
    if (i + kVector <= count) {
      body.Four(i);
    } else {
      for (int64_t tail = i; tail < count; ++tail) body.One(tail);
    }
  }
}

template <typename T>
struct AdamWBody {
  const AdamW<T>& c;
  float rate, clip, keep, beta1, beta2, correction1, correction2, eps;

  __device__ __forceinline__ void Update(float g, float& m, float& v, float& w) const {
    g *= clip;
    m = beta1 * m + (1.0f - beta1) * g;
    v = beta2 * v + (1.0f - beta2) * g * g;
    w = w * keep - rate * (m * correction1 / (sqrtf(v * correction2) + eps));
  }
  __device__ __forceinline__ void One(int64_t i) const {
    Update(c.gradients[i], c.first_moment[i], c.second_moment[i], c.masters[i]);
    if (c.weights != nullptr) c.weights[i] = FromFloat<T>(c.masters[i]);
  }
  __device__ __forceinline__ void Four(int64_t i) const {
    float g[kVector];
    float m[kVector];
    float v[kVector];
    float w[kVector];
    LoadElements<kVector>(c.gradients + i, g);
    LoadElements<kVector>(c.first_moment + i, m);
    LoadElements<kVector>(c.second_moment + i, v);
    LoadElements<kVector>(c.masters + i, w);
#pragma unroll
    for (int e = 0; e < kVector; ++e) Update(g[e], m[e], v[e], w[e]);
    StoreElements<kVector>(m, c.first_moment + i, true);
    StoreElements<kVector>(v, c.second_moment + i, true);
    StoreElements<kVector>(w, c.masters + i, true);
    if (c.weights != nullptr) StoreElements<kVector>(w, c.weights + i, true);
  }
};

template <typename T>
__global__ void __launch_bounds__(kThreads) AdamWKernel(const __grid_constant__ AdamW<T> call) {
  __shared__ float corrections[2];
  if (threadIdx.x == 0) {
    // In double: at small steps 1 - beta^step cancels.
    const double step = static_cast<double>(*call.step);
    corrections[0] = static_cast<float>(1.0 / (1.0 - pow(call.beta1, step)));
    corrections[1] = static_cast<float>(1.0 / (1.0 - pow(call.beta2, step)));
  }
  __syncthreads();
  const float rate = *call.learning_rate;
  const float clip = call.clip == nullptr ? 1.0f : *call.clip;
  EachElement(call.count,
              AdamWBody<T>{call, rate, clip, 1.0f - rate * static_cast<float>(call.weight_decay),
                           static_cast<float>(call.beta1), static_cast<float>(call.beta2),
                           corrections[0], corrections[1], static_cast<float>(call.eps)});
}

template <typename T>
struct MomentumBody {
  const MuonMomentum<T>& c;
  float clip, mu;

  __device__ __forceinline__ float Update(float g, float& momentum) const {
    g *= clip;
    momentum = mu * momentum + (1.0f - mu) * g;
    return c.nesterov ? (1.0f - mu) * g + mu * momentum : momentum;
  }
  __device__ __forceinline__ void One(int64_t i) const {
    c.direction[i] = FromFloat<T>(Update(c.gradients[i], c.momentum[i]));
  }
  __device__ __forceinline__ void Four(int64_t i) const {
    float g[kVector];
    float m[kVector];
    LoadElements<kVector>(c.gradients + i, g);
    LoadElements<kVector>(c.momentum + i, m);
#pragma unroll
    for (int e = 0; e < kVector; ++e) g[e] = Update(g[e], m[e]);
    StoreElements<kVector>(m, c.momentum + i, true);
    StoreElements<kVector>(g, c.direction + i, true);
  }
};

template <typename T>
__global__ void __launch_bounds__(kThreads)
    MomentumKernel(const __grid_constant__ MuonMomentum<T> call) {
  const float clip = call.clip == nullptr ? 1.0f : *call.clip;
  EachElement(call.count, MomentumBody<T>{call, clip, static_cast<float>(call.mu)});
}

template <typename T>
struct PolynomialBody {
  const MuonPolynomial<T>& c;
  float b, square;

  __device__ __forceinline__ void One(int64_t i) const {
    c.out[i] = FromFloat<T>(b * ToFloat(c.a[i]) + square * ToFloat(c.square[i]));
  }
  __device__ __forceinline__ void Four(int64_t i) const {
    float x[kVector];
    float y[kVector];
    LoadElements<kVector>(c.a + i, x);
    LoadElements<kVector>(c.square + i, y);
#pragma unroll
    for (int e = 0; e < kVector; ++e) x[e] = b * x[e] + square * y[e];
    StoreElements<kVector>(x, c.out + i, true);
  }
};

template <typename T>
__global__ void __launch_bounds__(kThreads)
    PolynomialKernel(const __grid_constant__ MuonPolynomial<T> call) {
  EachElement(call.count,
              PolynomialBody<T>{call, static_cast<float>(call.b), static_cast<float>(call.c)});
}

template <typename T>
struct ApplyBody {
  const MuonApply<T>& c;
  float keep, scale;

  __device__ __forceinline__ void One(int64_t i) const {
    c.masters[i] = c.masters[i] * keep - scale * ToFloat(c.direction[i]);
    if (c.weights != nullptr) c.weights[i] = FromFloat<T>(c.masters[i]);
  }
  __device__ __forceinline__ void Four(int64_t i) const {
    float w[kVector];
    float direction[kVector];
    LoadElements<kVector>(c.masters + i, w);
    LoadElements<kVector>(c.direction + i, direction);
#pragma unroll
    for (int e = 0; e < kVector; ++e) w[e] = w[e] * keep - scale * direction[e];
    StoreElements<kVector>(w, c.masters + i, true);
    if (c.weights != nullptr) StoreElements<kVector>(w, c.weights + i, true);
  }
};

template <typename T>
__global__ void __launch_bounds__(kThreads) ApplyKernel(const __grid_constant__ MuonApply<T> call) {
  const float rate = *call.learning_rate;
  EachElement(call.count, ApplyBody<T>{call, 1.0f - rate * static_cast<float>(call.weight_decay),
                                       rate * static_cast<float>(call.scale)});
}

// Sum over a block of kThreads in a fixed tree; thread 0 has it.
template <typename R>
__device__ R BlockSum(R value) {
  __shared__ R warps[kThreads / kWarp];
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    value += __shfl_xor_sync(0xffffffffu, value, offset);
  }
  if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = value;
  __syncthreads();
  value = warps[0];
  for (int warp = 1; warp < kThreads / kWarp; ++warp) value += warps[warp];
  __syncthreads();
  return value;
}

template <typename T>
struct SquareBody {
  const T* x;
  float* sum;
  __device__ __forceinline__ void One(int64_t i) const { *sum += ToFloat(x[i]) * ToFloat(x[i]); }
  __device__ __forceinline__ void Four(int64_t i) const {
    float values[kVector];
    LoadElements<kVector>(x + i, values);
#pragma unroll
    for (int e = 0; e < kVector; ++e) *sum += values[e] * values[e];
  }
};

template <typename T>
__global__ void __launch_bounds__(kThreads) SquaresKernel(const T* x, int64_t count, float* sums) {
  float sum = 0.0f;
  EachElement(count, SquareBody<T>{x, &sum});
  sum = BlockSum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// The norm of the blocks' sums, the same in every block that asks.
__device__ double NormOf(const float* sums, int blocks) {
  double sum = 0.0;
  for (int i = threadIdx.x; i < blocks; i += kThreads) sum += static_cast<double>(sums[i]);
  return sqrt(BlockSum(sum));
}

__global__ void __launch_bounds__(kThreads)
    ClipKernel(const float* sums, int blocks, double max_norm, float* norm, float* clip) {
  const double length = NormOf(sums, blocks);
  if (threadIdx.x != 0) return;
  *norm = static_cast<float>(length);
  const double factor = max_norm > 0 ? max_norm / (length + 1e-6) : 1.0;
  *clip = static_cast<float>(factor > 1.0 ? 1.0 : factor);  // A NaN stays one.
}

template <typename T>
__global__ void __launch_bounds__(kThreads)
    NormalizeKernel(const __grid_constant__ MuonNormalize<T> call, int blocks) {
  const float scale = static_cast<float>(1.0 / (1.01 * NormOf(call.workspace, blocks) + 1e-7));
  const MuonPolynomial<T> scaled{call.count, call.x, call.x, call.x, 0.0, 0.0};
  EachElement(call.count, PolynomialBody<T>{scaled, scale, 0.0f});
}

template <typename T>
int StartSquares(const T* x, int64_t count, float* sums, Gpu place) {
  const int64_t fitting = BlocksFor(count);
  const int blocks = static_cast<int>(fitting < kNormWorkspace ? fitting : kNormWorkspace);
  SquaresKernel<T><<<blocks, kThreads, 0, place.stream>>>(x, count, sums);
  return blocks;
}

}  // namespace

template <typename T>
Outcome Launch(const GlobalNorm<T>& call, Gpu place) {
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  if (call.workspace == nullptr) return Outcome("global norm: workspace must be given");
  const int blocks = StartSquares(call.gradients, call.count, call.workspace, place);
  ClipKernel<<<1, kThreads, 0, place.stream>>>(call.workspace, blocks, call.max_norm, call.norm,
                                               call.clip);
  return Launched("global norm", cudaGetLastError());
}

template <typename T>
Outcome Launch(const MuonNormalize<T>& call, Gpu place) {
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  if (call.workspace == nullptr) return Outcome("muon normalize: workspace must be given");
  const int blocks = StartSquares(call.x, call.count, call.workspace, place);
  NormalizeKernel<T><<<BlocksFor(call.count), kThreads, 0, place.stream>>>(call, blocks);
  return Launched("muon normalize", cudaGetLastError());
}

template <typename T>
Outcome Launch(const AdamW<T>& call, Gpu place) {
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  AdamWKernel<T><<<BlocksFor(call.count), kThreads, 0, place.stream>>>(call);
  return Launched("adamw", cudaGetLastError());
}

template <typename T>
Outcome Launch(const MuonMomentum<T>& call, Gpu place) {
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  MomentumKernel<T><<<BlocksFor(call.count), kThreads, 0, place.stream>>>(call);
  return Launched("muon momentum", cudaGetLastError());
}

template <typename T>
Outcome Launch(const MuonPolynomial<T>& call, Gpu place) {
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  PolynomialKernel<T><<<BlocksFor(call.count), kThreads, 0, place.stream>>>(call);
  return Launched("muon polynomial", cudaGetLastError());
}

template <typename T>
Outcome Launch(const MuonApply<T>& call, Gpu place) {
  if (Outcome fits = CheckOptimizer(call); !fits.ok()) return fits;
  ApplyKernel<T><<<BlocksFor(call.count), kThreads, 0, place.stream>>>(call);
  return Launched("muon apply", cudaGetLastError());
}

#define DDL_INSTANTIATE(T)                                \
  template Outcome Launch(const GlobalNorm<T>&, Gpu);     \
  template Outcome Launch(const AdamW<T>&, Gpu);          \
  template Outcome Launch(const MuonMomentum<T>&, Gpu);   \
  template Outcome Launch(const MuonNormalize<T>&, Gpu);  \
  template Outcome Launch(const MuonPolynomial<T>&, Gpu); \
  template Outcome Launch(const MuonApply<T>&, Gpu);
DDL_INSTANTIATE(float)
DDL_INSTANTIATE(Bf16)
#undef DDL_INSTANTIATE

}  // namespace ddl::kernels
