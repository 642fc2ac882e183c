#include "worker/comm/collective.h"

#include "worker/comm/process_group.h"

namespace ddl {
namespace {

class Alone final : public Collective {
 public:
  int64_t rank() const override { return 0; }
  int64_t size() const override { return 1; }
  absl::Status Sum(at::Tensor& /*tensor*/) override { return absl::OkStatus(); }
};

}  // namespace

absl::StatusOr<std::unique_ptr<Collective>> Join(const Rendezvous& rendezvous) {
  if (rendezvous.size == 1) return std::make_unique<Alone>();
  return JoinProcessGroup(rendezvous);
}

}  // namespace ddl
