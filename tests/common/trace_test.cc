#include "common/trace.h"

#include <catch2/catch.hpp>

namespace ddl {
namespace {

// The digits are those of `printf k3v9x2mq/e4 | sha256sum`.
TEST_CASE("The trace of an attempt is half a digest of its name") {
  CHECK(AttemptTrace("k3v9x2mq", 4) == "6590d686caa222302bd2bcafe983266d");
  CHECK(AttemptTrace("k3v9x2mq", 5) != AttemptTrace("k3v9x2mq", 4));
}

}  // namespace
}  // namespace ddl
