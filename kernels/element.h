// The element types that kernels read and write, and the type they compute in.
#pragma once

#include <cstdint>
#include <cstring>

namespace ddl::kernels {

// bfloat16 as bits: the upper half of a float. The same bits as CUDA's __nv_bfloat16.
struct Bf16 {
  uint16_t bits = 0;
};

// What sums, weights of norms and heads, and their gradients are held in.
template <typename T>
struct Accumulator {
  using Type = float;
};
template <>
struct Accumulator<double> {
  using Type = double;
};
template <typename T>
using Real = typename Accumulator<T>::Type;

inline float ToReal(float x) { return x; }
inline double ToReal(double x) { return x; }
inline float ToReal(Bf16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float out = 0;
  std::memcpy(&out, &bits, sizeof(out));
  return out;
}

template <typename T>
inline T FromReal(Real<T> x) {
  return x;
}
// Rounds to nearest, ties to even; a NaN stays one.
template <>
inline Bf16 FromReal<Bf16>(float x) {
  uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof(bits));
  if (x != x) return {0x7fff};
  bits += 0x7fff + ((bits >> 16) & 1);
  return {static_cast<uint16_t>(bits >> 16)};
}

}  // namespace ddl::kernels
