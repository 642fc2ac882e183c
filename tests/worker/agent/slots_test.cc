#include "worker/agent/slots.h"

#include <catch2/catch.hpp>

namespace ddl::agent {

TEST_CASE("Slots are of one kind: as many of the CPU as asked for, else one for each GPU") {
  const std::vector<Gpu> gpus = {{"GPU-1", "H100", "1", 80}, {"GPU-2", "H100", "1", 80}};
  CHECK(MakeSlots(3, "cpu model", gpus)->size() == 3);
  const auto slots = MakeSlots(0, "", gpus);
  REQUIRE(slots->size() == 2);
  CHECK((*slots)[1].device() == "cuda:1");
  CHECK((*slots)[1].uuid() == "GPU-2");
  CHECK(absl::IsInvalidArgument(MakeSlots(0, "", {}).status()));
}

}  // namespace ddl::agent
