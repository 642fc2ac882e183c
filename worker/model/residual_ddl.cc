#include "worker/model/residual_ddl.h"

#include "worker/model/gated_residual.h"

namespace ddl {
namespace {

class Ddl final : public GatedResidual {
 public:
  using GatedResidual::GatedResidual;

 private:
  at::Tensor Row(const at::Tensor& v, const at::Tensor& projection) const override {
    return v - projection;
  }
  bool reads_projection() const override { return true; }
};

}  // namespace

std::unique_ptr<Residual> MakeDdl(const ModelConfig& config, Parameters* parameters) {
  return std::make_unique<Ddl>(config, parameters);
}

}  // namespace ddl
