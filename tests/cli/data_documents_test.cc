#include "cli/data_documents.h"

#include <catch2/catch.hpp>

#include "tests/common/scratch_folder.h"

namespace ddl::cli {
namespace {

using Catch::Contains;
using Texts = std::vector<std::string>;

Texts DocumentsOf(const std::string& name, const std::string& bytes,
                  const DocumentLayout& layout = {}) {
  const ScratchFolder folder;
  Spit(folder / name, bytes);
  Texts documents;
  const absl::Status status = ReadDocuments(folder / name, layout, [&](absl::string_view document) {
    documents.emplace_back(document);
    return absl::OkStatus();
  });
  INFO(status);
  CHECK(status.ok());
  return documents;
}

std::string ErrorOf(const std::string& name, const std::string& bytes,
                    const DocumentLayout& layout = {}) {
  const ScratchFolder folder;
  Spit(folder / name, bytes);
  const absl::Status status =
      ReadDocuments(folder / name, layout, [](absl::string_view) { return absl::OkStatus(); });
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(status.message()), Contains(folder / name));
  return std::string(status.message());
}

TEST_CASE("A text file is one document, without white space at its ends") {
  CHECK(DocumentsOf("a.txt", "\xEF\xBB\xBF\n  One.\n\nTwo. \r\n") == Texts{"One.\n\nTwo."});
  CHECK(DocumentsOf("a.txt", "") == Texts{""});
}

TEST_CASE("Lines can be documents") {
  CHECK(DocumentsOf("a.txt", "one\r\n\ntwo", {.lines = true}) == Texts{"one", "", "two"});
}

TEST_CASE("A line in which the expression is found parts documents and belongs to none") {
  CHECK(DocumentsOf("a", "one\nmore\n%\ntwo 100%\n%\n", {.separator = "^%$"}) ==
        Texts{"one\nmore", "two 100%", ""});
  CHECK(DocumentsOf("a", "one\r\n---\r\ntwo", {.separator = "^-+$"}) == Texts{"one", "two"});
  CHECK(DocumentsOf("a", "no separator", {.separator = "^%$"}) == Texts{"no separator"});
}

TEST_CASE("A JSON line is a document in its field") {
  CHECK(DocumentsOf("a.jsonl",
                    "{\"text\": \"one\\ntwo\", \"id\": {\"n\": 1}}\n\n{\"text\":\" x \"}\n") ==
        Texts{"one\ntwo", "x"});
  CHECK(DocumentsOf("a.ndjson", "{\"body\": \"\\u00e9\"}", {.field = "body"}) == Texts{"\xc3\xa9"});
}

TEST_CASE("A bad JSON line is named with its line and the rule") {
  const std::string good = "{\"text\": \"one\"}\n";
  CHECK_THAT(ErrorOf("a.jsonl", good + "{\"text\": 1}"),
             Contains(":2: the field \"text\" must be a string"));
  CHECK_THAT(ErrorOf("a.jsonl", good + "{\"test\": \"x\"}"), Contains(":2: the field \"text\""));
  CHECK_THAT(ErrorOf("a.jsonl", good + good + "[1]"), Contains(":3: a line must be a JSON object"));
  CHECK_THAT(ErrorOf("a.jsonl", good + "\n{\"text\": \"on"), Contains(":3: not JSON"));
  CHECK_THAT(ErrorOf("a.jsonl", "{\"text\": \"a\", \"text\": \"b\"}"), Contains("appears twice"));
  CHECK_THAT(ErrorOf("a.jsonl", "{\"text\": \"\xff\"}"), Contains(":1: not JSON"));
}

TEST_CASE("A binary file is not text") {
  CHECK_THAT(ErrorOf("a.txt", std::string("ab\0c", 4)), Contains("not text: byte 2 is zero"));
}

TEST_CASE("The first error of the taker ends the reading") {
  const ScratchFolder folder;
  Spit(folder / "a", "1\n2\n3\n");
  int taken = 0;
  const absl::Status status =
      ReadDocuments(folder / "a", {.lines = true}, [&](absl::string_view) -> absl::Status {
        return ++taken == 2 ? absl::CancelledError("enough") : absl::OkStatus();
      });
  CHECK(status.code() == absl::StatusCode::kCancelled);
  CHECK(taken == 2);
}

TEST_CASE("Layouts without sense are refused") {
  CHECK(CheckLayout({}).ok());
  CHECK_THAT(std::string(CheckLayout({.separator = "("}).message()),
             Contains("\"(\" is not a regular expression"));
  CHECK_FALSE(CheckLayout({.separator = "x", .lines = true}).ok());
  CHECK_FALSE(CheckLayout({.field = ""}).ok());
}

TEST_CASE("A folder becomes its text files by name") {
  const ScratchFolder folder;
  for (const char* name : {"b.txt", "a.jsonl", "c.md", "d.bin", "notes"}) Spit(folder / name, "x");
  Spit(folder / "other", "x");
  const auto files = ExpandInputs({folder / "other", folder.path()});
  REQUIRE(files.ok());
  CHECK(*files == Texts{folder / "other", folder / "a.jsonl", folder / "b.txt", folder / "c.md"});
  const ScratchFolder empty;
  CHECK(ExpandInputs({empty.path()}).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("A missing file is not found") {
  const absl::Status status =
      ReadDocuments("/nonexistent/a.txt", {}, [](absl::string_view) { return absl::OkStatus(); });
  CHECK(status.code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ddl::cli
