// Who may open a state folder.
#include "coordinator/store/state_folder.h"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "tests/common/scratch_folder.h"
#include "tests/coordinator/store/open_store.h"
#include "tests/coordinator/store/store_conformance.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("a second process is told who holds the folder, even when the lock file is gone") {
  const ScratchFolder folder;
  const auto store = OpenIn(folder);
  absl::Status second = OpenError({.folder = folder.path()});
  CHECK(second.code() == absl::StatusCode::kAlreadyExists);
  CHECK(absl::StrContains(second.message(), absl::StrCat("pid ", getpid())));
  CHECK(absl::StrContains(second.message(), "host "));
  REQUIRE(unlink((folder / "lock").c_str()) == 0);
  second = OpenError({.folder = folder.path()});
  CHECK(second.code() == absl::StatusCode::kAlreadyExists);
}

TEST_CASE("an empty folder needs bootstrap, and a folder that lost its database is refused") {
  const ScratchFolder folder;
  const absl::Status empty = OpenError({.folder = folder.path()});
  CHECK(empty.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(absl::StrContains(empty.message(), "--bootstrap"));
  OpenIn(folder).reset();
  CHECK(OpenError({.folder = folder.path()}).ok());
  REQUIRE(WriteFileAtomically(folder / "address", "grpc=x").ok());
  for (const char* name : {"coordinator.db", "coordinator.db-wal", "coordinator.db-shm"}) {
    unlink((folder / name).c_str());
  }
  const absl::Status lost = OpenError({.folder = folder.path(), .bootstrap = true});
  CHECK(lost.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(absl::StrContains(lost.message(), "not empty (address)"));
}

TEST_CASE("network file systems are refused by name") {
  for (const auto& [type, name] : std::vector<std::pair<uint32_t, const char*>>{
           {0x6969, "NFS"}, {0xFF534D42, "CIFS"}, {0x65735546, "FUSE"}}) {
    const absl::Status status = CheckFilesystem(type, "/state");
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(absl::StrContains(status.message(), name));
  }
  CHECK(CheckFilesystem(0xEF53, "/state").ok());      // ext4.
  CHECK(CheckFilesystem(0x58465342, "/state").ok());  // XFS.
}

}  // namespace
}  // namespace ddl::coordinator
