#include "worker/agent/log_limit.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "tests/worker/agent/temporary_folder.h"

namespace ddl::agent {

TEST_CASE("A log keeps its first bytes, what is cut off is counted and marked") {
  const TemporaryFolder folder;
  const std::string path = absl::StrCat(folder.path(), "/log");
  CHECK(*LimitLog(path, 100, 20, 0) == 0);
  REQUIRE(WriteFileAtomically(path, std::string(120, 'a')).ok());
  CHECK(*LimitLog(path, 100, 20, 0) == 0);
  REQUIRE(WriteFileAtomically(path, std::string(121, 'a')).ok());
  CHECK(*LimitLog(path, 100, 20, 0) == 21);
  CHECK(*ReadFile(path) == absl::StrCat(std::string(100, 'a'),
                                        "\n[21 bytes dropped: a log is limited to 100 bytes]\n"));
  const size_t marked = ReadFile(path)->size();
  CHECK(*LimitLog(path, 100, 20, 21) == static_cast<int64_t>(marked) - 100);
}

}  // namespace ddl::agent
