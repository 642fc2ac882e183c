// What tests that compare tensors with plain loops share.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "worker/model/parameters.h"

namespace ddl {

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
