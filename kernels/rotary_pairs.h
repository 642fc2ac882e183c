// One head of one token as the lanes of a warp hold it, for the kernels of rotary.cu. kLanes lanes
// take a head; a lane holds groups of kPack neighbouring pairs, group lane + kLanes e being its
// e-th. With kPack 4 and half-split pairs an access is 8 bytes of Bf16.
#pragma once

#include "kernels/gpu_parts.h"
#include "kernels/rotary.h"

namespace ddl::kernels {

// kPack features side by side in memory.
template <int kPack>
__device__ __forceinline__ void LoadRun(const float* from, float* to) {
  if constexpr (kPack == 4) {
    const float4 four = *reinterpret_cast<const float4*>(from);
    to[0] = four.x;
    to[1] = four.y;
    to[2] = four.z;
    to[3] = four.w;
  } else {
    to[0] = from[0];
  }
}
template <int kPack>
__device__ __forceinline__ void LoadRun(const Bf16* from, float* to) {
  if constexpr (kPack == 4) {
    const uint2 bits = *reinterpret_cast<const uint2*>(from);
    to[0] = LowHalf(bits.x);
    to[1] = HighHalf(bits.x);
    to[2] = LowHalf(bits.y);
    to[3] = HighHalf(bits.y);
  } else {
    to[0] = ToFloat(from[0]);
  }
}
template <int kPack>
__device__ __forceinline__ void StoreRun(const float* from, float* to) {
  if constexpr (kPack == 4) {
    *reinterpret_cast<float4*>(to) = make_float4(from[0], from[1], from[2], from[3]);
  } else {
    to[0] = from[0];
  }
}
template <int kPack>
__device__ __forceinline__ void StoreRun(const float* from, Bf16* to) {
  if constexpr (kPack == 4) {
    *reinterpret_cast<uint2*>(to) =
        make_uint2(PackPair(from[0], from[1]), PackPair(from[2], from[3]));
  } else {
    to[0] = FromFloat<Bf16>(from[0]);
  }
}

// Heads of up to 2 kLanes kGroups kPack features. Pairs beyond the head are zero and unwritten.
template <typename T, int kLanes, int kGroups, int kPack>
class HeadPairs {
 public:
  static constexpr int kEach = kGroups * kPack;

  __device__ HeadPairs(const RotaryShape<float>& shape, int position, const float* gain)
      : s_(shape),
        gain_(gain),
        half_(static_cast<int>(shape.rotated / 2)),
        pairs_(static_cast<int>(shape.head_dim / 2)),
        angles_(position * half_) {}

  __device__ __forceinline__ int pair(int group) const {
    return (static_cast<int>(threadIdx.x) % kLanes + group * kLanes) * kPack;
  }
  // The group's features are two runs of kPack at (p, p + R/2), or one of 2 kPack at 2 p.
  __device__ __forceinline__ bool split(int p) const {
    return s_.layout == PairLayout::kHalves && p < half_;
  }

  template <typename Element>
  __device__ __forceinline__ void Load(const Element* from, float (&a)[kEach],
                                       float (&b)[kEach]) const {
#pragma unroll
    for (int group = 0; group < kGroups; ++group) {
      const int p = pair(group);
      float runs[2 * kPack] = {};
      const bool apart = split(p);
      if (p < pairs_) {
        LoadRun<kPack>(from + (apart ? p : 2 * p), runs);
        LoadRun<kPack>(from + (apart ? p + half_ : 2 * p + kPack), runs + kPack);
      }
#pragma unroll
      for (int i = 0; i < kPack; ++i) {
        a[group * kPack + i] = apart ? runs[i] : runs[2 * i];
        b[group * kPack + i] = apart ? runs[kPack + i] : runs[2 * i + 1];
      }
    }
  }
  __device__ __forceinline__ void Store(const float (&a)[kEach], const float (&b)[kEach],
                                        T* to) const {
#pragma unroll
    for (int group = 0; group < kGroups; ++group) {
      const int p = pair(group);
      if (p >= pairs_) continue;
      float runs[2 * kPack];
      const bool apart = split(p);
#pragma unroll
      for (int i = 0; i < kPack; ++i) {
        runs[i] = apart ? a[group * kPack + i]
                        : (i % 2 == 0 ? a[group * kPack + i / 2] : b[group * kPack + i / 2]);
        const int late = kPack + i;
        runs[late] =
            apart ? b[group * kPack + i]
                  : (late % 2 == 0 ? a[group * kPack + late / 2] : b[group * kPack + late / 2]);
      }
      StoreRun<kPack>(runs, to + (apart ? p : 2 * p));
      StoreRun<kPack>(runs + kPack, to + (apart ? p + half_ : 2 * p + kPack));
    }
  }
  __device__ __forceinline__ void Rotate(float direction, float (&a)[kEach],
                                         float (&b)[kEach]) const {
#pragma unroll
    for (int group = 0; group < kGroups; ++group) {
      if (pair(group) >= half_) continue;
      float cosine[kPack];
      float sine[kPack];
      LoadRun<kPack>(s_.cosine + angles_ + pair(group), cosine);
      LoadRun<kPack>(s_.sine + angles_ + pair(group), sine);
#pragma unroll
      for (int i = 0; i < kPack; ++i) {
        const int e = group * kPack + i;
        const float turned = a[e] * cosine[i] - b[e] * direction * sine[i];
        b[e] = a[e] * direction * sine[i] + b[e] * cosine[i];
        a[e] = turned;
      }
    }
  }
  __device__ __forceinline__ void Gains(float (&a)[kEach], float (&b)[kEach]) const {
    Load(gain_, a, b);
  }
  __device__ __forceinline__ float Sum(float value) const {
#pragma unroll
    for (int offset = kLanes / 2; offset > 0; offset /= 2) {
      value += __shfl_xor_sync(0xffffffffu, value, offset);
    }
    return value;
  }
  __device__ __forceinline__ float InverseRms(const float (&a)[kEach],
                                              const float (&b)[kEach]) const {
    float square = 0.0f;
#pragma unroll
    for (int e = 0; e < kEach; ++e) square += a[e] * a[e] + b[e] * b[e];
    return rsqrtf(Sum(square) / static_cast<float>(s_.head_dim) + static_cast<float>(s_.eps));
  }
  __device__ __forceinline__ bool after() const { return s_.order == NormOrder::kAfterRotation; }
  __device__ __forceinline__ bool normed() const { return gain_ != nullptr; }

 private:
  const RotaryShape<float>& s_;
  const float* gain_;
  int half_;
  int pairs_;
  int64_t angles_;  // of the position's first pair
};

// The two features of a pair in its head.
struct Place {
  int first;
  int second;
};
__device__ __forceinline__ Place PlaceOf(const RotaryShape<float>& s, int pair) {
  const int half = static_cast<int>(s.rotated / 2);
  if (pair >= half || s.layout == PairLayout::kNeighbours) return {2 * pair, 2 * pair + 1};
  return {pair, pair + half};
}

}  // namespace ddl::kernels
