// Who may listen where, and who is believed.
#include "common/credentials.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "common/files.h"
#include "tests/common/scratch_folder.h"

namespace ddl {
namespace {

const std::string kSecret(32, 's');

struct Files {
  ScratchFolder folder;
  CredentialFiles files{folder / "cert", folder / "key", folder / "tokens"};

  Files() {
    REQUIRE(WriteFileAtomically(files.tls_cert, "CERT").ok());
    REQUIRE(WriteFileAtomically(files.tls_key, "KEY").ok());
    REQUIRE(WriteFileAtomically(files.tokens, "ann." + kSecret + "\nbob." + kSecret + "x\n").ok());
    for (const std::string& path : {files.tls_key, files.tokens}) {
      REQUIRE(chmod(path.c_str(), 0600) == 0);
    }
  }
};

TEST_CASE(
    "loopback is 127.0.0.0/8, ::1, localhost and a local socket, and nothing that looks like "
    "them") {
  for (const char* yes :
       {"127.0.0.1:7070", "127.1.2.3:0", "[::1]:7070", "localhost:1", "unix:/x"}) {
    INFO(yes);
    CHECK(IsLoopback(yes));
  }
  for (const char* no : {"0.0.0.0:7070", "[::]:7070", "10.0.0.1:1", "127.evil.example:1",
                         "localhost.evil.example:1", ":7070", ""}) {
    INFO(no);
    CHECK_FALSE(IsLoopback(no));
  }
}

TEST_CASE("loopback needs no credentials, any other address needs all three files") {
  const Files with;
  CHECK_FALSE(ReadServerSecurity("127.0.0.1:0", {})->tls);
  const auto all = ReadServerSecurity("0.0.0.0:0", with.files);
  REQUIRE(all.ok());
  CHECK(all->tls);
  CHECK(all->key == "KEY");
  REQUIRE(all->tokens.size() == 2);
  CHECK(all->tokens[0].id == "ann");
  for (int missing = 0; missing < 4; ++missing) {
    CredentialFiles files = with.files;
    if (missing == 0) files.tls_cert = "";
    if (missing == 1) files.tls_key = "";
    if (missing == 2) files.tokens = "";
    if (missing == 3) files = {};
    const auto refused = ReadServerSecurity("0.0.0.0:0", files);
    CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
    CHECK(absl::StrContains(refused.status().message(), "0.0.0.0:0"));
  }
  CHECK_FALSE(ReadServerSecurity("127.0.0.1:0", {.tls_cert = with.files.tls_cert}).ok());
}

TEST_CASE("a key or token file that others may read is refused, with its mode") {
  const Files with;
  for (const std::string& path : {with.files.tls_key, with.files.tokens}) {
    REQUIRE(chmod(path.c_str(), 0644) == 0);
    const auto refused = ReadServerSecurity("0.0.0.0:0", with.files);
    CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
    CHECK(absl::StrContains(refused.status().message(), path));
    CHECK(absl::StrContains(refused.status().message(), "644"));
    REQUIRE(chmod(path.c_str(), 0640) == 0);
  }
  CHECK(ReadServerSecurity("0.0.0.0:0", with.files).ok());
}

TEST_CASE("a token file's mistake names its line and never the token") {
  for (const std::string& bad :
       {std::string("nodot"), std::string("ann.short"), "Bad Id." + kSecret}) {
    const auto tokens = ParseTokens("ok." + kSecret + "\n" + bad + "\n");
    CHECK(tokens.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(absl::StrContains(tokens.status().message(), "line 2"));
    CHECK_FALSE(absl::StrContains(tokens.status().message(), bad));
  }
  CHECK_FALSE(ParseTokens("\n \n").ok());
}

TEST_CASE("a bearer is the known token, whole and nothing else") {
  const auto tokens = ParseTokens("ann." + kSecret + "\nbob." + kSecret + "x");
  REQUIRE(tokens.ok());
  CHECK(FindBearer(*tokens, "Bearer ann." + kSecret)->id == "ann");
  CHECK(FindBearer(*tokens, "Bearer bob." + kSecret + "x")->id == "bob");
  for (const std::string& wrong :
       {std::string(), std::string("Bearer "), "Bearer bob." + kSecret, "Basic ann." + kSecret,
        "ann." + kSecret, "Bearer ann." + kSecret + "s"}) {
    CHECK(FindBearer(*tokens, wrong).status().code() == absl::StatusCode::kUnauthenticated);
  }
  CHECK_FALSE(FindBearer({}, "Bearer x").ok());
}

TEST_CASE("a client uses TLS for every address but loopback") {
  const Files with;
  CHECK_FALSE(ReadClientSecurity("127.0.0.1:1", "", "")->tls);
  CHECK(ReadClientSecurity("127.0.0.1:1", with.files.tls_cert, "")->tls);
  const auto far = ReadClientSecurity("example.org:1", "", with.files.tokens);
  REQUIRE(far.ok());
  CHECK(far->tls);
  CHECK(far->token == "ann." + kSecret);
}

}  // namespace
}  // namespace ddl
