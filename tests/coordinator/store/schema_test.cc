// Which databases are opened.
#include "coordinator/store/schema.h"

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/common/scratch_folder.h"
#include "tests/coordinator/store/open_store.h"
#include "tests/coordinator/store/store_conformance.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("a newer schema and a database of another program are refused") {
  const ScratchFolder folder;
  OpenIn(folder).reset();
  Damage(folder, absl::StrCat("PRAGMA user_version = ", kSchemaVersion + 1));
  absl::Status status = OpenError({.folder = folder.path()});
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(absl::StrContains(status.message(), "schema version 2"));
  Damage(folder, "PRAGMA application_id = 7");
  status = OpenError({.folder = folder.path()});
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(absl::StrContains(status.message(), "application id 7"));
}

}  // namespace
}  // namespace ddl::coordinator
