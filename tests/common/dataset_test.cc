#include "common/dataset.h"

#include <catch2/catch.hpp>

#include "common/digest.h"
#include "common/tokenizer.h"
#include "tests/common/scratch_folder.h"

namespace ddl {
namespace {

using Catch::Contains;

// Two train shards and one of validation, written with the pieces under test's own formats.
DatasetManifest WriteExample(const ScratchFolder& folder) {
  DatasetManifest manifest{"byte", ByteTokenizerSha256(), kByteVocabSize, 2, 1, {}};
  const auto add = [&](const std::string& name, absl::string_view split,
                       const std::vector<uint16_t>& tokens) {
    const auto written = WriteTokenShard(folder / name, tokens);
    REQUIRE(written.ok());
    manifest.files.push_back({name, std::string(split), static_cast<int64_t>(tokens.size()),
                              written->bytes, written->sha256});
  };
  add("train-000.bin", kTrainSplit, {1, 2, 256});
  add("train-001.bin", kTrainSplit, {3, 256});
  add("val-000.bin", kValSplit, {4, 256});
  Spit(folder / "manifest.json", ManifestJson(manifest));
  return manifest;
}

TEST_CASE("A manifest reads back as it was written, and is identified by its bytes") {
  const ScratchFolder folder;
  const DatasetManifest manifest = WriteExample(folder);
  const auto dataset = OpenDataset(folder.path());
  INFO(dataset.status());
  REQUIRE(dataset.ok());
  CHECK(ManifestJson(dataset->manifest) == ManifestJson(manifest));
  CHECK(dataset->manifest_sha256 == Sha256Hex(Slurp(folder / "manifest.json")));
  CHECK(dataset->manifest.files[1].name == "train-001.bin");
  CHECK(dataset->manifest.train_documents == 2);
  CHECK(TokensOfSplit(dataset->manifest, kTrainSplit) == 5);
  CHECK(TokensOfSplit(dataset->manifest, kValSplit) == 2);
  CHECK(VerifyDataset(*dataset).ok());
}

TEST_CASE("A split is its shards in order") {
  const ScratchFolder folder;
  WriteExample(folder);
  const auto dataset = OpenDataset(folder.path());
  REQUIRE(dataset.ok());
  const auto shards = OpenSplit(*dataset, kTrainSplit, true);
  REQUIRE(shards.ok());
  REQUIRE(shards->size() == 2);
  CHECK((*shards)[0].tokens()[1] == 2);
  CHECK((*shards)[1].tokens()[0] == 3);
  CHECK(OpenSplit(*dataset, "test", false).status().code() ==
        absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("A missing, truncated or altered shard is named") {
  const ScratchFolder folder;
  WriteExample(folder);
  const auto dataset = OpenDataset(folder.path());
  REQUIRE(dataset.ok());
  const std::string path = folder / "train-001.bin";
  const std::string good = Slurp(path);

  std::string altered = good;
  altered[1024] = 9;
  Spit(path, altered);
  absl::Status status = VerifyDataset(*dataset);
  CHECK(status.code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(status.message()), Contains(path) && Contains("altered: SHA-256 is"));
  CHECK(OpenSplit(*dataset, kTrainSplit, true).status().code() == absl::StatusCode::kDataLoss);

  REQUIRE(WriteTokenShard(path, {{3, 3, 256}}).ok());
  status = OpenSplit(*dataset, kTrainSplit, false).status();
  CHECK_THAT(std::string(status.message()), Contains("altered: the manifest says 2 tokens"));

  Spit(path, good.substr(0, good.size() - 1));
  CHECK_THAT(std::string(VerifyDataset(*dataset).message()), Contains("truncated"));

  std::filesystem::remove(path);
  status = VerifyDataset(*dataset);
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(status.message()), Contains(path));
}

TEST_CASE("A token beyond the manifest's vocabulary is refused") {
  const ScratchFolder folder;
  DatasetManifest manifest = WriteExample(folder);
  manifest.vocab_size = 200;
  Spit(folder / "manifest.json", ManifestJson(manifest));
  const auto dataset = OpenDataset(folder.path());
  REQUIRE(dataset.ok());
  CHECK_THAT(std::string(OpenSplit(*dataset, kValSplit, false).status().message()),
             Contains("token 256 at position 1 is beyond the vocabulary of 200"));
}

TEST_CASE("Another tokenizer than this program's does not verify") {
  const ScratchFolder folder;
  DatasetManifest manifest = WriteExample(folder);
  manifest.tokenizer_sha256 = std::string(64, '0');
  Spit(folder / "manifest.json", ManifestJson(manifest));
  const auto dataset = OpenDataset(folder.path());
  REQUIRE(dataset.ok());
  CHECK_THAT(std::string(VerifyDataset(*dataset).message()), Contains("tokenizer \"byte\""));
}

TEST_CASE("A folder without a manifest is not found") {
  const ScratchFolder folder;
  CHECK(OpenDataset(folder.path()).status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("A bad manifest is refused with the field and the rule") {
  const ScratchFolder folder;
  const std::string good = ManifestJson(WriteExample(folder));
  REQUIRE(ParseManifest(good).ok());
  const auto error = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    const auto manifest = ParseManifest(text);
    INFO(text);
    CHECK(manifest.status().code() == absl::StatusCode::kDataLoss);
    return std::string(manifest.status().message());
  };
  CHECK(error("\"format_version\": 1", "\"format_version\": 2") ==
        "format_version must be 1, got 2");
  CHECK(error("\"format_version\": 1", "\"format\": 1") == "format is unknown");
  CHECK(error("\"format_version\": 1,", "") == "format_version is missing");
  CHECK(error("\"vocab_size\": 257", "\"vocab_size\": 65537") ==
        "tokenizer.vocab_size must be at most 65536");
  CHECK(error("\"vocab_size\": 257", "\"vocab_size\": \"257\"") ==
        "tokenizer.vocab_size must be a whole number of at least 1");
  CHECK(error("\"tokens\": 3", "\"tokens\": -3") ==
        "files[0].tokens must be a whole number of at least 1");
  CHECK(error("\"tokens\": 3", "\"tokens\": 3.0") ==
        "files[0].tokens must be a whole number of at least 1");
  CHECK(error("\"split\": \"train\"", "\"split\": \"test\"") ==
        "files[0].split must be train or val, got \"test\"");
  CHECK_THAT(error("train-000.bin", "../passwd"), Contains("files[0].name"));
  CHECK(error("train-001.bin", "train-000.bin") == "files[1].name \"train-000.bin\" appears twice");
  CHECK(error("\"sha256\": \"", "\"sha256\": \"x") ==
        "tokenizer.sha256 must be 64 lower-case hex digits");
  CHECK(error("\"tokens\": 3", "\"tokens\": 3, \"tokens\": 3") ==
        "JSON key \"tokens\" appears twice");
  CHECK_THAT(error("}", ""), Contains("not JSON"));
  CHECK(ParseManifest("[]").status().message() == "this must be a mapping");
}

}  // namespace
}  // namespace ddl
