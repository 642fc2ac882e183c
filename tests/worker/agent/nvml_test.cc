#include "worker/agent/nvml.h"

#include <catch2/catch.hpp>

namespace ddl::agent {

TEST_CASE("Without NVIDIA's library there is no GPU, and that is said") {
  CHECK(absl::IsNotFound(Nvml::Open("libno-such-nvml.so.1").status()));
}

}  // namespace ddl::agent
