#include "worker/model/residual_write_only.h"

#include "worker/model/gated_residual.h"

namespace ddl {
namespace {

class WriteOnly final : public GatedResidual {
 public:
  using GatedResidual::GatedResidual;

 private:
  at::Tensor Row(const at::Tensor& v, const at::Tensor& /*projection*/) const override { return v; }
  bool reads_projection() const override { return false; }
};

}  // namespace

std::unique_ptr<Residual> MakeWriteOnly(const ModelConfig& config, Parameters* parameters) {
  return std::make_unique<WriteOnly>(config, parameters);
}

}  // namespace ddl
