#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "common/digest.h"
#include "tests/cli/in_process.h"
#include "tests/common/scratch_folder.h"

namespace ddl::cli {
namespace {

using Catch::Contains;

// Forty short documents, one a line.
std::string Lines() {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "Document " + std::to_string(i) + ".\n";
  return text;
}

TEST_CASE("ddl data prep, inspect and verify agree on a folder") {
  const ScratchFolder folder;
  Spit(folder / "in.txt", Lines());
  InProcess ddl;
  const Outcome prep = ddl.Run({"data", "prep", folder / "in.txt", "--lines", "--val-share", "0.2",
                                "--out", folder / "out", "-o", "json"});
  INFO(prep.err);
  REQUIRE(prep.code == 0);
  const auto made = nlohmann::json::parse(prep.out);
  CHECK(made["manifest_sha256"] == Sha256Hex(Slurp(folder / "out/manifest.json")));
  CHECK(made["train"]["documents"].get<int>() + made["val"]["documents"].get<int>() == 40);
  // Every line without its newline, and an end of document.
  const int tokens = made["train"]["tokens"].get<int>() + made["val"]["tokens"].get<int>();
  CHECK(tokens == static_cast<int>(Lines().size()));

  const Outcome inspect =
      ddl.Run({"data", "inspect", folder / "out", "--text", "12", "-o", "json"});
  REQUIRE(inspect.code == 0);
  const auto seen = nlohmann::json::parse(inspect.out);
  CHECK(seen["manifest_sha256"] == made["manifest_sha256"]);
  CHECK(seen["files"].size() == 2);
  CHECK_THAT(seen["train"]["text"].get<std::string>(), Catch::StartsWith("Document "));

  const Outcome verify = ddl.Run({"data", "verify", folder / "out", "-o", "name"});
  CHECK(verify.code == 0);
  CHECK(verify.out == made["manifest_sha256"].get<std::string>() + "\n");
}

TEST_CASE("ddl data says once what is wrong and prints nothing else") {
  const ScratchFolder folder;
  Spit(folder / "in.txt", Lines());
  InProcess ddl;
  REQUIRE(ddl.Run({"data", "prep", folder / "in.txt", "--lines", "--out", folder / "out"}).code ==
          0);
  struct Row {
    std::vector<std::string> words;
    int code;
    std::string says;
  };
  std::string shard = Slurp(folder / "out/train-000.bin");
  shard[1024] = '!';
  Spit(folder / "out/train-000.bin", shard);
  Spit(folder / "bad.jsonl", "{\"txt\": \"x\"}\n");
  const std::vector<Row> rows = {
      {{"data", "verify", folder / "out"}, 1, "out/train-000.bin: altered: SHA-256 is"},
      {{"data", "verify", folder / "none"}, 3, "none/manifest.json"},
      {{"data", "inspect", folder.path()}, 3, "manifest.json"},
      {{"data", "prep", folder / "in.txt"}, 2, "--out DIR"},
      {{"data", "prep", folder / "none.txt", "--out", folder / "x"}, 3, "none.txt"},
      {{"data", "prep", folder / "bad.jsonl", "--out", folder / "x"}, 2, "bad.jsonl:1: the field"},
      {{"data", "prep", folder / "in.txt", "--out", folder / "x"},
       2,
       "both splits need a document"},
      {{"data", "prep", folder / "in.txt", "--out", folder / "x", "--val-share", "1"}, 2, "share"},
      {{"data", "prep", folder / "in.txt", "--out", folder / "x", "--separator", "("},
       2,
       "regular"},
      {{"data", "prep", folder / "in.txt", "--lines", "--seed", "2", "--out", folder / "out"},
       5,
       "--force"},
  };
  for (const Row& row : rows) {
    const Outcome outcome = ddl.Run(row.words);
    INFO(row.words[1] << ": " << outcome.err);
    CHECK(outcome.code == row.code);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains(row.says));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') <= 2);
  }
  CHECK_FALSE(std::filesystem::exists(folder / "x"));
}

TEST_CASE("Ctrl-C ends ddl data prep without a folder") {
  const ScratchFolder folder;
  Spit(folder / "in.txt", Lines());
  InProcess ddl;
  ddl.interrupt.Raise();
  const Outcome outcome =
      ddl.Run({"data", "prep", folder / "in.txt", "--lines", "--out", folder / "out"});
  CHECK(outcome.code == 130);
  CHECK(folder.CountEntries() == 1);
}

}  // namespace
}  // namespace ddl::cli
