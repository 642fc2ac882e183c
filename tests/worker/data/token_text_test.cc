#include "worker/data/token_text.h"

#include <algorithm>

#include "tests/common/scratch_folder.h"
#include "tests/worker/text_fixture.h"

namespace ddl {
namespace {

TEST_CASE("A text reads across the borders of its shards") {
  const ScratchFolder folder;
  const std::vector<uint16_t> tokens = MarkovText(3, 50);
  std::vector<TokenShard> shards;
  int index = 0;
  for (const auto& [first, last] : {std::pair{0, 7}, std::pair{7, 8}, std::pair{8, 50}}) {
    const DatasetFile file = WriteShard(folder.path(), "train", index++,
                                        {tokens.begin() + first, tokens.begin() + last});
    auto shard = TokenShard::Open(folder / file.name, kByteVocabSize);
    REQUIRE(shard.ok());
    shards.push_back(*std::move(shard));
  }
  const TokenText text(std::move(shards));
  REQUIRE(text.size() == 50);
  for (int64_t start = 0; start < 50; ++start) {
    for (int64_t count = 1; count <= 50 - start; count += 3) {
      std::vector<int64_t> got(static_cast<size_t>(count));
      text.Copy(start, absl::MakeSpan(got));
      CHECK(std::equal(got.begin(), got.end(), tokens.begin() + start));
    }
  }
  CHECK(text.Windows(7) == 7);
  CHECK(text.Windows(10) == 4);  // A window reads one token more, its last target.
  CHECK(text.Windows(49) == 1);
  CHECK(text.Windows(50) == 0);
}

}  // namespace
}  // namespace ddl
