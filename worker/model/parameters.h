// The named weights of a model, in the order in which its layers asked for them. That order is the
// order of checkpoints, digests and reductions.
//
// After Flatten() all weights, and all gradients, are slices of one tensor each: one reduction, one
// norm and one optimizer call serve the whole model.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ddl {

struct Parameter {
  std::string name;
  at::Tensor value;    // A leaf that requires a gradient.
  int64_t offset = 0;  // Of its first element in the flat tensors.
  bool decays = true;  // Whether weight decay pulls it to zero.
};

class Parameters {
 public:
  explicit Parameters(uint64_t seed) : seed_(seed) {}

  // Each makes a weight on the CPU and returns it; a name is asked for once.
  at::Tensor AddNormal(absl::string_view name, at::IntArrayRef shape, double deviation);
  at::Tensor AddConstant(absl::string_view name, at::IntArrayRef shape, double value);
  at::Tensor Add(absl::string_view name, const at::Tensor& initial);

  // Frees a weight from weight decay.
  void SetUndecayed(absl::string_view name);

  // Moves all weights to `device`, into flat tensors of `type`. Tensors that layers hold stay
  // valid.
  void Flatten(at::Device device, at::ScalarType type = at::kFloat);

  const std::vector<Parameter>& all() const { return all_; }
  int64_t count() const { return count_; }  // Elements of all weights.

  // (count): weights, gradients. Gradients start at zero and backward passes add to them.
  const at::Tensor& flat() const { return flat_; }
  const at::Tensor& flat_gradients() const { return flat_gradients_; }

  // The part of a tensor shaped like flat() that belongs to `parameter`, in its shape.
  static at::Tensor Slice(const at::Tensor& flat, const Parameter& parameter);

  // SHA-256 over name, shape and the bytes of every weight, in order.
  std::string Sha256() const;

 private:
  uint64_t seed_;
  std::vector<Parameter> all_;
  int64_t count_ = 0;
  at::Tensor flat_;
  at::Tensor flat_gradients_;
};

}  // namespace ddl
