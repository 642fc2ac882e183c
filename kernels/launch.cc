#include "kernels/launch.h"

namespace ddl::kernels {

Contract& Contract::Refuse(const std::string& rule) {
  if (message_.empty()) message_ = std::string(kernel_) + ": " + rule;
  return *this;
}

Contract& Contract::Require(bool holds, const char* rule) { return holds ? *this : Refuse(rule); }

Contract& Contract::Between(const char* name, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return *this;
  std::string rule = name;
  rule += " must be between " + std::to_string(least) + " and " + std::to_string(most);
  return Refuse(rule + ", got " + std::to_string(value));
}

Contract& Contract::MultipleOf(const char* name, int64_t value, int64_t step) {
  if (value % step == 0) return *this;
  std::string rule = name;
  rule += " must be a multiple of " + std::to_string(step);
  return Refuse(rule + ", got " + std::to_string(value));
}

Contract& Contract::Aligned(const char* name, const void* pointer, int64_t bytes) {
  if (pointer == nullptr) return Refuse(std::string(name) + " must be given");
  return AlignedIfGiven(name, pointer, bytes);
}

Contract& Contract::AlignedIfGiven(const char* name, const void* pointer, int64_t bytes) {
  if (reinterpret_cast<uintptr_t>(pointer) % static_cast<uintptr_t>(bytes) == 0) return *this;
  return Refuse(std::string(name) + " must be aligned to " + std::to_string(bytes) + " bytes");
}

}  // namespace ddl::kernels
