// Device code that kernels share: vector accesses, conversions, reductions in a fixed order, copies
// that run ahead. Only .cu files include it.
//
// A team is a group of whole warps that works on one token; every thread of it holds the same F
// neighbouring features from token to token. Sums over a team are a fixed tree: shuffles inside a
// warp, then warps in their order.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <string>

#include "kernels/element.h"
#include "kernels/launch.h"

namespace ddl::kernels {

inline constexpr int kWarp = 32;

// Launch errors as an Outcome.
inline Outcome Launched(const char* kernel, cudaError_t error) {
  if (error == cudaSuccess) return {};
  return Outcome(std::string(kernel) + ": " + cudaGetErrorString(error));
}

inline int MultiprocessorCount() {
  int device = 0;
  int count = 0;
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device) != cudaSuccess) {
    return 0;
  }
  return count;
}

// Bytes of shared memory that one block may have on the current GPU: 227 KiB with sm_90.
inline int64_t SharedMemoryLimit() {
  int device = 0;
  int bytes = 0;
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) !=
          cudaSuccess) {
    return 0;
  }
  return bytes;
}

__device__ __forceinline__ float LowHalf(uint32_t pair) { return __uint_as_float(pair << 16); }
__device__ __forceinline__ float HighHalf(uint32_t pair) {
  return __uint_as_float(pair & 0xffff0000u);
}
__device__ __forceinline__ uint32_t PackPair(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}

__device__ __forceinline__ float ToFloat(float x) { return x; }
__device__ __forceinline__ float ToFloat(Bf16 x) {
  return __uint_as_float(static_cast<uint32_t>(x.bits) << 16);
}
template <typename T>
__device__ __forceinline__ T FromFloat(float x);
template <>
__device__ __forceinline__ float FromFloat<float>(float x) {
  return x;
}
template <>
__device__ __forceinline__ Bf16 FromFloat<Bf16>(float x) {
  return Bf16{__bfloat16_as_ushort(__float2bfloat16_rn(x))};
}

// F neighbouring elements as one access: 16 bytes, or 8 for four Bf16.
template <int F>
__device__ __forceinline__ void LoadElements(const float* from, float (&to)[F]) {
#pragma unroll
  for (int i = 0; i < F; i += 4) {
    const float4 part = *reinterpret_cast<const float4*>(from + i);
    to[i] = part.x;
    to[i + 1] = part.y;
    to[i + 2] = part.z;
    to[i + 3] = part.w;
  }
}
template <int F>
__device__ __forceinline__ void LoadElements(const Bf16* from, float (&to)[F]) {
  static_assert(F == 4 || F == 8);
  if constexpr (F == 8) {
    const uint4 bits = *reinterpret_cast<const uint4*>(from);
    const uint32_t pairs[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      to[2 * i] = LowHalf(pairs[i]);
      to[2 * i + 1] = HighHalf(pairs[i]);
    }
  } else {
    const uint2 bits = *reinterpret_cast<const uint2*>(from);
    to[0] = LowHalf(bits.x);
    to[1] = HighHalf(bits.x);
    to[2] = LowHalf(bits.y);
    to[3] = HighHalf(bits.y);
  }
}

// Stores F elements and leaves in `values` what was stored, rounded.
template <int F>
__device__ __forceinline__ void StoreElements(float (&values)[F], float* to, bool active) {
#pragma unroll
  for (int i = 0; i < F; i += 4) {
    if (active) {
      *reinterpret_cast<float4*>(to + i) =
          make_float4(values[i], values[i + 1], values[i + 2], values[i + 3]);
    }
  }
}
template <int F>
__device__ __forceinline__ void StoreElements(float (&values)[F], Bf16* to, bool active) {
  uint32_t pairs[F / 2];
#pragma unroll
  for (int i = 0; i < F / 2; ++i) {
    pairs[i] = PackPair(values[2 * i], values[2 * i + 1]);
    values[2 * i] = LowHalf(pairs[i]);
    values[2 * i + 1] = HighHalf(pairs[i]);
  }
  if (!active) return;
  if constexpr (F == 8) {
    *reinterpret_cast<uint4*>(to) = make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
  } else {
    *reinterpret_cast<uint2*>(to) = make_uint2(pairs[0], pairs[1]);
  }
}

template <int F>
__device__ __forceinline__ void Clear(float (&values)[F]) {
#pragma unroll
  for (int i = 0; i < F; ++i) values[i] = 0.0f;
}

// Copies that run beside the computation (cp.async); each thread waits for its own.
template <int kBytes>
__device__ __forceinline__ void CopyAhead(void* to_shared, const void* from) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(to_shared));
  if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address), "l"(from) : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8;" ::"r"(address), "l"(from) : "memory");
  }
}
__device__ __forceinline__ void CloseCopies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int kOpen>
__device__ __forceinline__ void AwaitCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kOpen) : "memory");
}

// One barrier for each team; barrier 0 is that of the block.
__device__ __forceinline__ void TeamBarrier(int team, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(team + 1), "r"(threads) : "memory");
}

// The largest power of two that is at most x.
__host__ __device__ constexpr int FloorPower(int x) { return x < 2 ? 1 : 2 * FloorPower(x / 2); }

// Sums K values over a warp into row[0 .. K). K is cut into powers of two: P values take about P +
// 5 shuffles, because each fold halves what a lane still carries.
template <int K>
__device__ __forceinline__ void WarpSumsTo(const float* values, float* row) {
  constexpr int kPower = FloorPower(K);
  const int lane = threadIdx.x % kWarp;
  float held[kPower];
#pragma unroll
  for (int i = 0; i < kPower; ++i) held[i] = values[i];
  int offset = kWarp / 2;
#pragma unroll
  for (int half = kPower / 2; half > 0; half /= 2) {
    const bool upper = (lane & offset) != 0;
#pragma unroll
    for (int i = 0; i < half; ++i) {
      const float sent = upper ? held[i] : held[i + half];
      const float kept = upper ? held[i + half] : held[i];
      held[i] = kept + __shfl_xor_sync(0xffffffffu, sent, offset);
    }
    offset /= 2;
  }
#pragma unroll
  for (int step = kWarp / (2 * kPower); step > 0; step /= 2) {
    held[0] += __shfl_xor_sync(0xffffffffu, held[0], step);
  }
  if (lane % (kWarp / kPower) == 0) row[lane / (kWarp / kPower)] = held[0];
  if constexpr (K > kPower) WarpSumsTo<K - kPower>(values + kPower, row + kPower);
}

// Sums over teams. `scratch` holds two buffers of `warps` rows for each team, used in turn, so that
// one barrier a sum is enough.
inline constexpr int kSumRow = 20;  // At most 17 values, in whole float4.

template <int W>  // Warps of a team; 0: known at run time only.
struct Team {
  int index;   // in its block
  int warps;   // of one team, W unless that is 0
  int thread;  // in the team
  float* scratch;
  int turn = 0;

  template <int K>
  __device__ __forceinline__ void Sum(float (&values)[K]) {
    static_assert(K <= kSumRow);
    const int count = W > 0 ? W : warps;
    float* rows = scratch + (index * 2 + turn) * count * kSumRow;
    turn ^= 1;
    WarpSumsTo<K>(values, rows + thread / kWarp * kSumRow);
    TeamBarrier(index, count * kWarp);
#pragma unroll
    for (int i = 0; i < K; ++i) values[i] = 0.0f;
#pragma unroll(W > 0 ? W : 1)
    for (int warp = 0; warp < count; ++warp) {
#pragma unroll
      for (int part = 0; part < (K + 3) / 4; ++part) {
        const float4 sums = *reinterpret_cast<const float4*>(rows + warp * kSumRow + 4 * part);
        const float four[4] = {sums.x, sums.y, sums.z, sums.w};
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          if (4 * part + i < K) values[4 * part + i] += four[i];
        }
      }
    }
  }
};

inline int64_t ScratchFloats(int teams, int warps) { return int64_t{2} * teams * warps * kSumRow; }

}  // namespace ddl::kernels
