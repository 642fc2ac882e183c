#include "worker/agent/slots.h"

#include "absl/strings/str_cat.h"

namespace ddl::agent {

absl::StatusOr<std::vector<v1::Slot>> MakeSlots(uint32_t cpu_slots, const std::string& cpu_model,
                                                const std::vector<Gpu>& gpus) {
  std::vector<v1::Slot> slots;
  for (uint32_t i = 0; i < cpu_slots; ++i) {
    v1::Slot& slot = slots.emplace_back();
    slot.set_index(i);
    slot.set_device("cpu");
    slot.set_model(cpu_model);
  }
  if (!slots.empty()) return slots;
  for (size_t i = 0; i < gpus.size(); ++i) {
    v1::Slot& slot = slots.emplace_back();
    slot.set_index(static_cast<uint32_t>(i));
    slot.set_device(absl::StrCat("cuda:", i));
    slot.set_uuid(gpus[i].uuid);
    slot.set_model(gpus[i].model);
    slot.set_memory_bytes(gpus[i].memory_bytes);
    slot.set_driver(gpus[i].driver);
  }
  if (!slots.empty()) return slots;
  return absl::InvalidArgumentError(
      "no GPU was found: --slots must say how many CPU slots to offer");
}

}  // namespace ddl::agent
