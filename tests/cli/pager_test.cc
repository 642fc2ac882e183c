#include "cli/pager.h"

#include <catch2/catch.hpp>
#include <csignal>

#include "absl/strings/str_cat.h"
#include "tests/cli/in_process.h"
#include "tests/common/scratch_folder.h"

namespace ddl::cli {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("The pager is DDL_PAGER, else PAGER, else less, an empty one or cat is none") {
  Io io;
  CHECK(PagerCommand(io) == Words{"less", "-FIRX"});
  io.environment["PAGER"] = "more -d";
  CHECK(PagerCommand(io) == Words{"more", "-d"});
  io.environment["DDL_PAGER"] = "";
  CHECK(PagerCommand(io).empty());
  io.environment["DDL_PAGER"] = "cat";
  CHECK(PagerCommand(io).empty());
  io.environment = {{"TERM", "dumb"}};
  CHECK(PagerCommand(io).empty());
}

absl::StatusOr<ExitCode> Fill(const Arguments&, Io& io) {
  for (int i = 0; i < 30; ++i) *io.out << "line " << i << "\n";
  return ExitCode::kOk;
}

// `dd` as the pager, so that a test sees what went through it.
struct Paged {
  Paged() { ddl.environment["DDL_PAGER"] = absl::StrCat("dd status=none of=", File()); }
  std::string File() const { return folder / "paged"; }
  Outcome Run(const Words& words) {
    return ddl.Run(words, {{.name = "fill", .doc = "Print lines", .run = Fill}});
  }
  ScratchFolder folder;
  InProcess ddl;
};

TEST_CASE("What is longer than the terminal goes through the pager, and nothing else does") {
  Paged paged;
  CHECK(paged.Run({"fill"}).out.size() > 200);  // No terminal.
  paged.ddl.tty = true;
  CHECK(paged.Run({"fill", "--no-pager"}).out.size() > 200);
  CHECK(paged.Run({"fill", "-o", "json"}).out.size() > 200);
  CHECK(Slurp(paged.File()).empty());
  const Outcome outcome = paged.Run({"fill"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out.empty());
  CHECK(Slurp(paged.File()).substr(0, 14) == "line 0\nline 1\n");
}

TEST_CASE("A pager that cannot be started costs nothing") {
  Paged paged;
  paged.ddl.tty = true;
  paged.ddl.environment["DDL_PAGER"] = "/no/such/pager";
  CHECK(paged.Run({"fill"}).out.size() > 200);
}

TEST_CASE("A pager that ends early is no failure") {
  std::signal(SIGPIPE, SIG_IGN);  // As main does.
  Paged paged;
  paged.ddl.tty = true;
  paged.ddl.environment["DDL_PAGER"] = "true";
  CHECK(paged.Run({"fill"}).code == 0);
}

}  // namespace
}  // namespace ddl::cli
