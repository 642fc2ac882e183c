#include "worker/model/residual_seed_write_only.h"

#include "worker/model/seed_module.h"

namespace ddl {
namespace {

class SeedWriteOnly final : public SeedModule {
 public:
  using SeedModule::SeedModule;

 private:
  at::Tensor Target(const at::Tensor& v, const at::Tensor& /*projection*/) const override {
    return v;
  }
};

}  // namespace

std::unique_ptr<Residual> MakeSeedWriteOnly(const ModelConfig& config, Parameters* parameters) {
  return std::make_unique<SeedWriteOnly>(config, parameters);
}

}  // namespace ddl
