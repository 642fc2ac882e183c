#include "worker/model/residual_additive.h"

namespace ddl {
namespace {

class Additive final : public Residual {
 public:
  at::Tensor Begin(const at::Tensor& embedding) const override { return embedding.unsqueeze(2); }
  void Compress(const at::Tensor& state, SublayerValues* values) const override {
    values->x_in = state.squeeze(2);
  }
  at::Tensor Rewrite(const at::Tensor& state, const SublayerValues& values,
                     GateStatistics* /*gates*/) const override {
    return state + values.h.unsqueeze(2);
  }
  at::Tensor ReadOut(const at::Tensor& state) const override { return state.squeeze(2); }
  bool has_gates() const override { return false; }
};

}  // namespace

std::unique_ptr<Residual> MakeAdditive(const ModelConfig& /*config*/, Parameters* /*parameters*/) {
  return std::make_unique<Additive>();
}

}  // namespace ddl
