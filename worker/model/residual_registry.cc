#include <array>

#include "absl/strings/string_view.h"
#include "common/check.h"
#include "worker/model/residual.h"
#include "worker/model/residual_additive.h"
#include "worker/model/residual_ddl.h"
#include "worker/model/residual_hyper_connections.h"
#include "worker/model/residual_seed_deepdeltares.h"
#include "worker/model/residual_seed_write_only.h"
#include "worker/model/residual_write_only.h"

namespace ddl {
namespace {

struct Entry {
  absl::string_view kind;
  std::unique_ptr<Residual> (*make)(const ModelConfig& config, Parameters* parameters);
};
constexpr std::array kRegistry = {
    Entry{"additive", &MakeAdditive},
    Entry{"ddl", &MakeDdl},
    Entry{"write_only", &MakeWriteOnly},
    Entry{"seed_deepdeltares", &MakeSeedDeepDeltaRes},
    Entry{"seed_write_only", &MakeSeedWriteOnly},
    Entry{"hyper_connections", &MakeHyperConnections},
};

}  // namespace

std::unique_ptr<Residual> MakeResidual(const ModelConfig& config, Parameters* parameters) {
  for (const Entry& entry : kRegistry) {
    if (entry.kind == config.residual.kind) return entry.make(config, parameters);
  }
  DDL_CHECK(false && "a residual kind that the spec's check let pass");
  return nullptr;
}

std::vector<std::string> ResidualKinds() {
  std::vector<std::string> kinds;
  for (const Entry& entry : kRegistry) kinds.emplace_back(entry.kind);
  return kinds;
}

}  // namespace ddl
