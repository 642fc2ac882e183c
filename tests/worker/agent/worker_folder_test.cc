#include "worker/agent/worker_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "tests/worker/agent/temporary_folder.h"

namespace ddl::agent {

TEST_CASE("A state folder has one holder, whose pid the next one is told") {
  const TemporaryFolder root;
  const std::string path = absl::StrCat(root.path(), "/state");
  {
    const auto first = WorkerFolder::Hold(path);
    REQUIRE(first.ok());
    // The lock survives whoever removes the file that names its holder.
    const auto second = WorkerFolder::Hold(path);
    REQUIRE(absl::IsAlreadyExists(second.status()));
    CHECK(absl::StrContains(second.status().message(), absl::StrCat("pid ", getpid(), " on ")));
    unlink(absl::StrCat(path, "/lock").c_str());
    CHECK(absl::IsAlreadyExists(WorkerFolder::Hold(path).status()));
  }
  CHECK(WorkerFolder::Hold(path).ok());
}

TEST_CASE("Cluster and term are remembered, a damaged file is not believed") {
  const TemporaryFolder root;
  const auto folder = WorkerFolder::Hold(root.path());
  REQUIRE(folder.ok());
  CHECK(*folder->ReadIdentity() == WorkerIdentity{});
  REQUIRE(folder->WriteIdentity({"cluster-1", 7}).ok());
  CHECK(*folder->ReadIdentity() == WorkerIdentity{"cluster-1", 7});
  for (const char* text : {"", "x", "x y", "x 1 2"}) {
    REQUIRE(WriteFileAtomically(absl::StrCat(root.path(), "/identity"), text).ok());
    CHECK(absl::IsDataLoss(folder->ReadIdentity().status()));
  }
}

TEST_CASE("Renewing the lease moves its time of change") {
  const TemporaryFolder root;
  const auto folder = WorkerFolder::Hold(root.path());
  REQUIRE(folder->RenewLease().ok());
  const std::string lease = absl::StrCat(folder->path(), "/lease");
  const timespec old[2] = {{1000, 0}, {1000, 0}};
  REQUIRE(utimensat(AT_FDCWD, lease.c_str(), old, 0) == 0);
  REQUIRE(folder->RenewLease().ok());
  struct stat status {};
  REQUIRE(stat(lease.c_str(), &status) == 0);
  CHECK(status.st_mtime > 1'000'000'000);
}

}  // namespace ddl::agent
