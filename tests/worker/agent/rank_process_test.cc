#include "worker/agent/rank_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "tests/worker/agent/eventually.h"
#include "tests/worker/agent/temporary_folder.h"

namespace ddl::agent {
namespace {

RankCommand Shell(const TemporaryFolder& folder, const std::string& script) {
  return {"/bin/sh", {"-c", script}, {"A=1"}, folder.path(), absl::StrCat(folder.path(), "/log")};
}

}  // namespace

TEST_CASE("A rank is its own session, without input, with its output in the log alone") {
  const TemporaryFolder folder;
  const auto pid = SpawnRank(
      Shell(folder,
            "read line || echo none; ps -o sid= -p $$; echo $$ $A $HOME; pwd; ls /proc/self/fd"),
      [](int32_t) { return absl::OkStatus(); });
  REQUIRE(pid.ok());
  REQUIRE(waitpid(*pid, nullptr, 0) == *pid);
  const std::string log = *ReadFile(absl::StrCat(folder.path(), "/log"));
  CHECK(absl::StrContains(log, "none\n"));
  CHECK(absl::StrContains(log, absl::StrCat(*pid, "\n", *pid, " 1\n", folder.path(), "\n")));
  CHECK(absl::EndsWith(log, "\n0\n1\n2\n3\n"));  // 3 is the listing's own.
}

TEST_CASE("A rank whose process cannot be recorded never runs") {
  const TemporaryFolder folder;
  const auto pid = SpawnRank(Shell(folder, "echo ran > mark"),
                             [](int32_t) { return absl::ResourceExhaustedError("disk full"); });
  CHECK(absl::IsResourceExhausted(pid.status()));
  CHECK_FALSE(FileExists(absl::StrCat(folder.path(), "/mark")));
}

TEST_CASE("A daemon that dies before it released a rank leaves no rank") {
  const TemporaryFolder folder;
  const pid_t daemon = fork();
  if (daemon == 0) {
    const auto pid = SpawnRank(Shell(folder, "echo ran > mark"), [&](int32_t rank) -> absl::Status {
      if (!WriteFileAtomically(absl::StrCat(folder.path(), "/pid"), absl::StrCat(rank)).ok()) {
        _exit(1);
      }
      _exit(0);
    });
    _exit(pid.ok() ? 2 : 3);
  }
  int status = 0;
  REQUIRE(waitpid(daemon, &status, 0) == daemon);
  REQUIRE(WEXITSTATUS(status) == 0);
  const int rank = std::atoi(ReadFile(absl::StrCat(folder.path(), "/pid"))->c_str());
  CHECK(Eventually([&] { return !FileExists(absl::StrCat("/proc/", rank, "/exe")); }));
  CHECK_FALSE(FileExists(absl::StrCat(folder.path(), "/mark")));
}

TEST_CASE("Only listed variables reach a rank") {
  setenv("LD_PRELOAD_OF_TEST", "x", 1);
  setenv("LANG", "C", 1);
  const std::vector<std::string> environment = OwnEnvironment(3);
  CHECK(std::count(environment.begin(), environment.end(), "OMP_NUM_THREADS=3") == 1);
  CHECK(std::count(environment.begin(), environment.end(), "LANG=C") == 1);
  for (const std::string& variable : environment) {
    CHECK_FALSE(absl::StartsWith(variable, "LD_PRELOAD"));
    CHECK_FALSE(absl::StartsWith(variable, "USER="));
  }
}

TEST_CASE("A program that is not there is an error before anything is started") {
  const TemporaryFolder folder;
  RankCommand command = Shell(folder, "");
  command.program = "/no/such/ddl-rank";
  CHECK(absl::IsNotFound(SpawnRank(command, [](int32_t) { return absl::OkStatus(); }).status()));
}

}  // namespace ddl::agent
