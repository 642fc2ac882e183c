#include "cli/contexts.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/in_process.h"
#include "tests/common/scratch_folder.h"

namespace ddl::cli {
namespace {

// ddl with a home of its own.
struct Home {
  Home() { ddl.environment = {{"HOME", folder.path()}}; }
  std::string File() const { return folder / ".config/ddl/config.yaml"; }
  void Write(const std::string& text) {
    std::filesystem::create_directories(folder / ".config/ddl");
    Spit(File(), text);
  }
  absl::StatusOr<Endpoint> Reached(std::multimap<std::string, std::string> flags = {}) {
    Io io;
    io.environment = ddl.environment;
    Arguments arguments;
    arguments.flags = std::move(flags);
    return EndpointOf(arguments, io);
  }

  ScratchFolder folder;
  InProcess ddl;
};

TEST_CASE("Contexts are set, listed, used and removed, the first one is current at once") {
  Home home;
  CHECK(home.ddl.Run({"context", "ls", "-o", "json"}).out == "[]\n");
  CHECK(home.ddl.Run({"context", "set", "lab", "--addr", "head:1", "--token-file", "/t"}).code ==
        0);
  CHECK(home.ddl.Run({"context", "set", "desk", "--addr", "127.0.0.1:2"}).code == 0);
  const auto rows = nlohmann::json::parse(home.ddl.Run({"context", "ls", "-o", "json"}).out);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0]["name"] == "desk");
  CHECK(rows[1]["current"] == true);
  CHECK(rows[1]["addr"] == "head:1");
  CHECK(home.Reached()->address == "head:1");
  CHECK(home.Reached()->token_file == "/t");
  CHECK(home.ddl.Run({"context", "use", "desk"}).code == 0);
  CHECK(home.Reached()->address == "127.0.0.1:2");
  CHECK(home.Reached()->token_file.empty());
  CHECK(home.ddl.Run({"context", "rm", "desk"}).code == 0);
  CHECK(home.Reached()->address == "127.0.0.1:7070");
  const Outcome unknown = home.ddl.Run({"context", "use", "labb"});
  CHECK(unknown.code == 3);
  CHECK(unknown.out.empty());
  CHECK(unknown.err.find("did you mean lab?") != std::string::npos);
  CHECK(home.ddl.Run({"context", "set", "new"}).code == 2);
  CHECK(home.ddl.Run({"context", "set", "Bad Name", "--addr", "x:1"}).code == 2);
}

TEST_CASE("A flag wins over --context, that over DDL_ADDR, that over DDL_CONTEXT and the current") {
  Home home;
  home.Write(
      "current: lab\ncontexts:\n  lab: {addr: 'lab:1', token-file: /lab-token}\n"
      "  desk: {addr: 'desk:2', tls-ca: /ca}\n");
  CHECK(home.Reached()->address == "lab:1");
  home.ddl.environment["DDL_CONTEXT"] = "desk";
  CHECK(home.Reached()->address == "desk:2");
  home.ddl.environment["DDL_ADDR"] = "env:3";
  CHECK(home.Reached()->address == "env:3");
  CHECK(home.Reached({{"context", "lab"}})->address == "lab:1");
  CHECK(home.Reached({{"context", "lab"}, {"addr", "flag:4"}})->address == "flag:4");
  CHECK(absl::IsNotFound(home.Reached({{"context", "none"}}).status()));
}

TEST_CASE("The token of a context goes to no other coordinator, nor does that of the environment") {
  Home home;
  home.Write(
      "current: lab\ncontexts:\n  lab: {addr: 'lab:1', token-file: /lab-token}\n  open: {addr: "
      "'o:1'}\n");
  CHECK(home.Reached({{"addr", "flag:4"}})->token_file.empty());
  home.ddl.environment["DDL_TOKEN_FILE"] = "/env-token";
  CHECK(home.Reached()->token_file == "/lab-token");
  CHECK(home.Reached({{"context", "open"}})->token_file.empty());
  CHECK(home.Reached({{"token-file", "/flag-token"}})->token_file == "/flag-token");
  home.ddl.environment["DDL_ADDR"] = "env:3";
  CHECK(home.Reached()->token_file == "/env-token");
}

TEST_CASE(
    "A damaged configuration names file, line and key, and keeps no local verb from working") {
  Home home;
  home.Write("current: lab\ncontexts:\n  lab: {adr: 'lab:1'}\n");
  const Outcome outcome = home.ddl.Run({"ls"});
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.find(home.File() + ":3:") != std::string::npos);
  CHECK(outcome.err.find("did you mean addr?") != std::string::npos);
  CHECK(home.ddl.Run({"version"}).code == 0);
  home.Write("contexts: [1]\n");
  CHECK(home.ddl.Run({"ls"}).code == 2);
}

}  // namespace
}  // namespace ddl::cli
