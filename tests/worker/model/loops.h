// What tests that compare tensors with plain loops share.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstdint>
#include <random>

#include "worker/model/model_config.h"
#include "worker/model/parameters.h"

namespace ddl {

// A compressor over a state of random width, in random numbers of both types.
struct CompressorCase {
  CompressorCase(int64_t channels, int64_t taps, at::ScalarType number, std::mt19937_64* random)
      : type(number), width(std::uniform_int_distribution<int64_t>(1, 9)(*random)) {
    config.d_model = width;
    config.n_layers = 1;
    config.residual.value_channels = channels;
    config.residual.compress_kernel = taps;
  }
  double Bound() const { return type == at::kFloat ? 1e-5 : 1e-12; }

  at::ScalarType type;
  int64_t width;
  ModelConfig config;
};

inline double At(const at::Tensor& tensor, at::IntArrayRef index) {
  at::Tensor value = tensor;
  for (const int64_t i : index) value = value[i];
  return value.item<double>();
}

inline void Randomize(const Parameters& parameters) {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : parameters.all()) at::Tensor(parameter.value).normal_();
}

}  // namespace ddl
