#include "cli/data_prep.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "common/tokenizer.h"
#include "tests/common/scratch_folder.h"
#include "tests/common/small_disk.h"

namespace ddl::cli {
namespace {

using Catch::Contains;

absl::StatusOr<PreparedFolder> Prepare(const DataPreparation& preparation) {
  return PrepareData(preparation, [] { return false; });
}

// `count` documents, one a line, of random length.
std::string Lines(std::mt19937* random, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += "Document " + std::to_string(i) + std::string((*random)() % 200, 'x') + ".\n";
  }
  return text;
}

// The documents of a split, read back from its shards.
std::vector<std::string> DocumentsOf(const Dataset& dataset, absl::string_view split) {
  std::vector<std::string> documents(1);
  const auto shards = OpenSplit(dataset, split, true);
  INFO(shards.status());
  REQUIRE(shards.ok());
  for (const TokenShard& shard : *shards) {
    for (const uint16_t token : shard.tokens()) {
      if (token == kEndOfDocument) {
        documents.emplace_back();
      } else {
        documents.back().push_back(static_cast<char>(token));
      }
    }
  }
  CHECK(documents.back().empty());
  documents.pop_back();
  return documents;
}

TEST_CASE("Every document is in exactly one split, whole and in order, over any number of shards") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const ScratchFolder folder;
  const std::string text = Lines(&random, 300);
  Spit(folder / "in.txt", text);
  const auto prepared = Prepare({.inputs = {folder / "in.txt"},
                                 .folder = folder / "out",
                                 .layout = {.lines = true},
                                 .val_share = 0.2,
                                 .shard_tokens = 2048});
  INFO(prepared.status());
  REQUIRE(prepared.ok());
  CHECK(VerifyDataset(prepared->dataset).ok());
  const auto train = DocumentsOf(prepared->dataset, kTrainSplit);
  const auto val = DocumentsOf(prepared->dataset, kValSplit);
  CHECK(train.size() == static_cast<size_t>(prepared->dataset.manifest.train_documents));
  CHECK(val.size() == static_cast<size_t>(prepared->dataset.manifest.val_documents));
  std::string merged;
  size_t from_train = 0;
  size_t from_val = 0;
  for (int64_t i = 0; i < 300; ++i) {
    merged += IsValidationDocument(1, i, 0.2) ? val.at(from_val++) : train.at(from_train++);
    merged += "\n";
  }
  CHECK(merged == text);
  CHECK(prepared->dataset.manifest.files.size() > 10);
  for (const DatasetFile& file : prepared->dataset.manifest.files) CHECK(file.tokens <= 2048);
}

TEST_CASE("The same input gives the same folder, byte for byte") {
  const ScratchFolder folder;
  std::mt19937 random(1);
  Spit(folder / "in.txt", Lines(&random, 100));
  DataPreparation preparation{
      .inputs = {folder / "in.txt"}, .folder = folder / "a", .layout = {.lines = true}};
  const auto a = Prepare(preparation);
  preparation.folder = folder / "b/";
  const auto b = Prepare(preparation);
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK(a->dataset.manifest_sha256 == b->dataset.manifest_sha256);
  CHECK(Slurp(folder / "a/train-000.bin") == Slurp(folder / "b/train-000.bin"));
  CHECK(folder.CountEntries() == 3);  // Nothing temporary is left.

  preparation.seed = 2;
  preparation.folder = folder / "c";
  CHECK(Prepare(preparation)->dataset.manifest_sha256 != a->dataset.manifest_sha256);
}

TEST_CASE("Documents added at the end do not move the others between splits") {
  int moved = 0;
  int val = 0;
  constexpr int kDocuments = 20'000;
  for (int64_t i = 0; i < kDocuments; ++i) {
    val += IsValidationDocument(7, i, 0.05) ? 1 : 0;
    moved += IsValidationDocument(7, i, 0.05) != IsValidationDocument(8, i, 0.05) ? 1 : 0;
  }
  // Binomial: six standard deviations.
  CHECK(std::fabs(val - 0.05 * kDocuments) < 6 * std::sqrt(kDocuments * 0.05 * 0.95));
  CHECK(moved > 0);
  CHECK(IsValidationDocument(7, 3, 0.999999));
  CHECK_FALSE(IsValidationDocument(7, 3, 0.000001));
}

TEST_CASE("Blank documents are left out and counted") {
  const ScratchFolder folder;
  std::mt19937 random(1);
  Spit(folder / "in.txt", Lines(&random, 100) + "\n   \n");
  const auto prepared =
      Prepare({.inputs = {folder / "in.txt"}, .folder = folder / "out", .layout = {.lines = true}});
  REQUIRE(prepared.ok());
  CHECK(prepared->blank_documents == 2);
  const DatasetManifest& manifest = prepared->dataset.manifest;
  CHECK(manifest.train_documents + manifest.val_documents == 100);
}

TEST_CASE("A folder with the same data is left, one with other data replaced only by force") {
  const ScratchFolder folder;
  std::mt19937 random(1);
  Spit(folder / "in.txt", Lines(&random, 100));
  DataPreparation preparation{
      .inputs = {folder / "in.txt"}, .folder = folder / "out", .layout = {.lines = true}};
  REQUIRE(Prepare(preparation).ok());
  const auto again = Prepare(preparation);
  REQUIRE(again.ok());
  CHECK(again->unchanged);

  preparation.seed = 9;
  const std::string before = Slurp(folder / "out/manifest.json");
  const auto refused = Prepare(preparation);
  CHECK(refused.status().code() == absl::StatusCode::kAlreadyExists);
  CHECK_THAT(std::string(refused.status().message()),
             Contains(folder / "out") && Contains("--force"));
  CHECK(Slurp(folder / "out/manifest.json") == before);

  preparation.force = true;
  const auto forced = Prepare(preparation);
  INFO(forced.status());
  REQUIRE(forced.ok());
  CHECK_FALSE(forced->unchanged);
  CHECK(Slurp(folder / "out/manifest.json") != before);
  CHECK(folder.CountEntries() == 2);

  Spit(folder / "out/train-000.bin", "damaged");
  CHECK_FALSE(Prepare(preparation)->unchanged);
  CHECK(VerifyDataset(*OpenDataset(folder / "out")).ok());
}

TEST_CASE("A folder that is no data folder is never replaced") {
  const ScratchFolder folder;
  std::mt19937 random(1);
  Spit(folder / "in.txt", Lines(&random, 100));
  std::filesystem::create_directory(folder / "home");
  DataPreparation preparation{.inputs = {folder / "in.txt"},
                              .folder = folder / "home",
                              .layout = {.lines = true},
                              .force = true};
  CHECK(Prepare(preparation).ok());  // An empty one is filled.
  std::filesystem::remove(folder / "home/manifest.json");
  Spit(folder / "home/thesis.tex", "years");
  const auto refused = Prepare(preparation);
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(Slurp(folder / "home/thesis.tex") == "years");
}

TEST_CASE("Whatever goes wrong, nothing is left behind") {
  const ScratchFolder folder;
  std::mt19937 random(1);
  Spit(folder / "in.txt", Lines(&random, 100));
  Spit(folder / "bad.jsonl", "{\"text\": \"fine\"}\n{}\n");
  Spit(folder / "one.txt", "a single document");
  const DataPreparation good{
      .inputs = {folder / "in.txt"}, .folder = folder / "out", .layout = {.lines = true}};
  const auto code = [&](const DataPreparation& preparation) {
    const auto result = Prepare(preparation);
    INFO(result.status());
    CHECK_FALSE(result.ok());
    CHECK(folder.CountEntries() == 3);
    return result.status().code();
  };
  DataPreparation bad = good;
  bad.inputs.push_back(folder / "bad.jsonl");
  CHECK(code(bad) == absl::StatusCode::kInvalidArgument);
  bad.inputs = {folder / "none.txt"};
  CHECK(code(bad) == absl::StatusCode::kNotFound);
  bad.inputs = {folder / "one.txt"};
  CHECK(code(bad) == absl::StatusCode::kInvalidArgument);
  bad = good;
  bad.val_share = 0;
  CHECK(code(bad) == absl::StatusCode::kInvalidArgument);
  bad.val_share = NAN;
  CHECK(code(bad) == absl::StatusCode::kInvalidArgument);
  bad = good;
  bad.shard_tokens = 10;
  CHECK(code(bad) == absl::StatusCode::kInvalidArgument);
  int asked = 0;
  CHECK(PrepareData(good, [&] { return ++asked > 50; }).status().code() ==
        absl::StatusCode::kCancelled);
  CHECK(folder.CountEntries() == 3);
}

TEST_CASE("A full disk leaves nothing behind") {
  const SmallDisk disk;
  if (!disk.mounted()) return;
  const ScratchFolder folder;
  std::mt19937 random(1);
  Spit(folder / "in.txt", Lines(&random, 2000));
  const auto result = Prepare({.inputs = {folder / "in.txt"},
                               .folder = disk.folder() / "out",
                               .layout = {.lines = true},
                               .shard_tokens = 4096});
  CHECK(result.status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(disk.folder().CountEntries() == 0);
}

}  // namespace
}  // namespace ddl::cli
