#include "coordinator/core/serialize.h"

#include <catch2/catch.hpp>

#include "proto/ddl/v1/journal.pb.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("Maps are written in order of their keys, however they were filled") {
  v1::ExperimentRecord up;
  v1::ExperimentRecord down;
  for (uint32_t i = 0; i < 200; ++i) (*up.mutable_runs_by_state())[i] = i;
  for (uint32_t i = 200; i > 0; --i) (*down.mutable_runs_by_state())[i - 1] = i - 1;
  CHECK(SerializeDeterministically(up) == SerializeDeterministically(down));
  v1::ExperimentRecord read;
  REQUIRE(read.ParseFromString(SerializeDeterministically(up)));
  CHECK(read.runs_by_state_size() == 200);
}

}  // namespace
}  // namespace ddl::coordinator
