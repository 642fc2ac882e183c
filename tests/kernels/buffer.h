// Tensors of kernel tests in the memory of the place that they run at, seen by tests as doubles.
// tests/gpu/device_memory.h has the same for Gpu, so that one test serves both.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/element.h"
#include "kernels/launch.h"

namespace ddl::kernels {

// Memory<Place> allocates, frees, copies in and copies out.
template <typename Place>
struct Memory;

template <>
struct Memory<Cpu> {
  static void* Allocate(size_t bytes) { return ::operator new (bytes, std::align_val_t{64}); }
  static void Free(void* memory) { ::operator delete (memory, std::align_val_t{64}); }
  static void CopyIn(void* to, const void* from, size_t bytes) { std::memcpy(to, from, bytes); }
  static void CopyOut(void* to, const void* from, size_t bytes) { std::memcpy(to, from, bytes); }
  // Waits for the place and fails the test when a kernel failed.
  static void Finish() {}
};

template <typename T, typename Place>
class Buffer {
 public:
  // `count` elements of NaN: what a kernel must write.
  explicit Buffer(int64_t count) : count_(static_cast<size_t>(std::max<int64_t>(count, 1))) {
    data_ = static_cast<T*>(Memory<Place>::Allocate(bytes()));
    const std::vector<unsigned char> poison(bytes(), 0xff);
    Memory<Place>::CopyIn(data_, poison.data(), bytes());
  }
  explicit Buffer(const std::vector<double>& values) : Buffer(static_cast<int64_t>(values.size())) {
    std::vector<T> rounded(count_);
    for (size_t i = 0; i < values.size(); ++i) rounded[i] = Rounded(values[i]);
    Memory<Place>::CopyIn(data_, rounded.data(), bytes());
  }
  ~Buffer() { Memory<Place>::Free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  T* data() { return data_; }
  std::vector<double> Values() const {
    Memory<Place>::Finish();
    std::vector<T> elements(count_);
    Memory<Place>::CopyOut(elements.data(), data_, bytes());
    std::vector<double> values(count_);
    for (size_t i = 0; i < count_; ++i) values[i] = AsDouble(elements[i]);
    return values;
  }
  // The bits, to compare two runs.
  std::vector<unsigned char> Bits() const {
    Memory<Place>::Finish();
    std::vector<unsigned char> bits(bytes());
    Memory<Place>::CopyOut(bits.data(), data_, bytes());
    return bits;
  }

 private:
  static double AsDouble(T element) {
    if constexpr (std::is_integral_v<T>) {
      return static_cast<double>(element);
    } else {
      return static_cast<double>(ToReal(element));
    }
  }
  static T Rounded(double value) {
    if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(value);
    } else {
      return FromReal<T>(static_cast<Real<T>>(value));
    }
  }
  // An absent tensor is one unread element, so that it has an address.
  size_t bytes() const { return count_ * sizeof(T); }

  size_t count_;
  T* data_ = nullptr;
};

// Normal numbers times `deviation`, rounded to T: what kernel and reference both start from.
template <typename T>
std::vector<double> RandomValues(int64_t count, double deviation, std::mt19937* random) {
  std::normal_distribution<double> normal(0.0, deviation);
  std::vector<double> values(static_cast<size_t>(count));
  for (double& value : values) {
    value = static_cast<double>(ToReal(FromReal<T>(static_cast<Real<T>>(normal(*random)))));
  }
  return values;
}

// ||got - want|| / ||want||; a NaN or an infinity anywhere is infinitely far.
inline double RelativeError(const std::vector<double>& got, const std::vector<double>& want) {
  REQUIRE(got.size() == want.size());
  double difference = 0;
  double size = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return HUGE_VAL;
    difference += (got[i] - want[i]) * (got[i] - want[i]);
    size += want[i] * want[i];
  }
  if (size == 0) return std::sqrt(difference);
  return std::sqrt(difference / size);
}

// What rounding of elements and sums may cost.
template <typename T>
double Tolerance() {
  if constexpr (std::is_same_v<T, double>) return 1e-11;
  if constexpr (std::is_same_v<T, float>) return 1e-5;
  return 8e-3;
}

}  // namespace ddl::kernels
