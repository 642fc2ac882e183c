// Bad data ends a run before it starts; each error names the file and the rule.
#include "worker/data/training_text.h"

#include <filesystem>

#include "tests/common/scratch_folder.h"
#include "tests/worker/text_fixture.h"

namespace ddl {
namespace {

using Catch::Matchers::Contains;

struct Fixture {
  ScratchFolder folder;
  std::string sha256 = WriteText(folder.path());
  TextRequirements requirements{.folder = folder.path(),
                                .manifest_sha256 = sha256,
                                .vocab_size = kByteVocabSize,
                                .sequence_tokens = 64};

  std::string Error() const {
    const auto text = OpenTrainingText(requirements);
    return text.ok() ? "" : std::string(text.status().message());
  }
};

TEST_CASE("A whole folder opens with both splits") {
  const Fixture fixture;
  const auto text = OpenTrainingText(fixture.requirements);
  REQUIRE(text.ok());
  CHECK(text->train.size() == 6000);
  CHECK(text->val.size() == 1500);
}

TEST_CASE("A missing shard is named") {
  const Fixture fixture;
  std::filesystem::remove(fixture.folder / "train-001.bin");
  CHECK_THAT(fixture.Error(), Contains("train-001.bin"));
}

TEST_CASE("A truncated shard is named") {
  const Fixture fixture;
  std::filesystem::resize_file(fixture.folder / "val-000.bin", 1500);
  CHECK_THAT(fixture.Error(), Contains("val-000.bin"));
}

TEST_CASE("An altered shard is named with its digest") {
  const Fixture fixture;
  std::string bytes = Slurp(fixture.folder / "train-000.bin");
  bytes[kTokenShardHeaderBytes + 100] ^= 1;
  Spit(fixture.folder / "train-000.bin", bytes);
  CHECK_THAT(fixture.Error(), Contains("train-000.bin") && Contains("SHA-256"));
}

TEST_CASE("A token beyond the vocabulary is named with its place") {
  const Fixture fixture;
  std::string bytes = Slurp(fixture.folder / "train-000.bin");
  bytes[kTokenShardHeaderBytes + 21] = 2;  // Token 10 becomes at least 512.
  Spit(fixture.folder / "train-000.bin", bytes);
  CHECK_THAT(fixture.Error(), Contains("train-000.bin") && Contains("10"));
}

TEST_CASE("Another manifest than the spec's is refused") {
  Fixture fixture;
  fixture.requirements.manifest_sha256 = std::string(64, 'a');
  CHECK_THAT(fixture.Error(), Contains("manifest.json") && Contains(fixture.sha256));
}

TEST_CASE("A model with too few embeddings and a text shorter than a sequence are refused") {
  Fixture fixture;
  fixture.requirements.vocab_size = 256;
  CHECK_THAT(fixture.Error(), Contains("vocab_size must be at least 257, got 256"));
  fixture.requirements.vocab_size = 257;
  fixture.requirements.sequence_tokens = 6000;
  CHECK_THAT(fixture.Error(), Contains("train must have at least 6001 tokens, got 6000"));
}

}  // namespace
}  // namespace ddl
