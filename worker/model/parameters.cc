#include "worker/model/parameters.h"

#include <ATen/core/grad_mode.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/check.h"
#include "common/digest.h"
#include "worker/model/random_stream.h"

namespace ddl {

at::Tensor Parameters::AddNormal(absl::string_view name, at::IntArrayRef shape, double deviation) {
  const at::Tensor initial = at::empty(shape, at::kFloat);
  RandomStream(seed_, name).FillNormal(initial.data_ptr<float>(), initial.numel(), deviation);
  return Add(name, initial);
}

at::Tensor Parameters::AddConstant(absl::string_view name, at::IntArrayRef shape, double value) {
  return Add(name, at::full(shape, value, at::kFloat));
}

at::Tensor Parameters::Add(absl::string_view name, const at::Tensor& initial) {
  DDL_CHECK(!flat_.defined());
  for (const Parameter& other : all_) DDL_CHECK(other.name != name);
  at::Tensor value = initial.detach().contiguous();
  value.requires_grad_(true);
  all_.push_back({std::string(name), value, count_});
  count_ += value.numel();
  return value;
}

void Parameters::SetUndecayed(absl::string_view name) {
  for (Parameter& parameter : all_) {
    if (parameter.name != name) continue;
    parameter.decays = false;
    return;
  }
  DDL_CHECK(false && "a name that was never added");
}

void Parameters::Flatten(at::Device device, at::ScalarType type) {
  DDL_CHECK(!flat_.defined());
  const at::NoGradGuard no_grad;
  const auto options = at::TensorOptions().dtype(type).device(device);
  flat_ = at::empty({count_}, options);
  flat_gradients_ = at::zeros({count_}, options);
  for (const Parameter& parameter : all_) {
    at::Tensor slice = Slice(flat_, parameter);
    slice.copy_(parameter.value);
    at::Tensor value = parameter.value;
    value.set_data(slice.detach());
    value.mutable_grad() = Slice(flat_gradients_, parameter).detach();
  }
}

at::Tensor Parameters::Slice(const at::Tensor& flat, const Parameter& parameter) {
  return flat.narrow(0, parameter.offset, parameter.value.numel()).view(parameter.value.sizes());
}

std::string Parameters::Sha256() const {
  ddl::Sha256 digest;
  for (const Parameter& parameter : all_) {
    const at::Tensor bytes = parameter.value.detach().to(at::kCPU).contiguous();
    digest.Update(absl::StrCat(parameter.name, "[", absl::StrJoin(bytes.sizes(), ","), "]"));
    digest.Update({static_cast<const char*>(bytes.data_ptr()), bytes.nbytes()});
  }
  return digest.FinishHex();
}

}  // namespace ddl
