#include "worker/model/residual_seed_deepdeltares.h"

#include "worker/model/seed_module.h"

namespace ddl {
namespace {

class SeedDeepDeltaRes final : public SeedModule {
 public:
  using SeedModule::SeedModule;

 private:
  at::Tensor Target(const at::Tensor& v, const at::Tensor& projection) const override {
    return v - projection;
  }
};

}  // namespace

std::unique_ptr<Residual> MakeSeedDeepDeltaRes(const ModelConfig& config, Parameters* parameters) {
  return std::make_unique<SeedDeepDeltaRes>(config, parameters);
}

}  // namespace ddl
