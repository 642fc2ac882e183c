#include "worker/data/token_text.h"

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace ddl {

TokenText::TokenText(std::vector<TokenShard> shards) : shards_(std::move(shards)) {
  for (const TokenShard& shard : shards_) {
    starts_.push_back(size_);
    size_ += shard.size();
  }
}

void TokenText::Copy(int64_t start, absl::Span<int64_t> out) const {
  DDL_CHECK(start >= 0 && start + static_cast<int64_t>(out.size()) <= size_);
  auto shard = static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), start) -
                                   starts_.begin() - 1);
  auto at = static_cast<size_t>(start - starts_[shard]);
  size_t done = 0;
  while (done < out.size()) {
    const absl::Span<const uint16_t> tokens = shards_[shard].tokens();
    const size_t count = std::min(out.size() - done, tokens.size() - at);
    std::copy_n(tokens.begin() + static_cast<ptrdiff_t>(at), count,
                out.begin() + static_cast<ptrdiff_t>(done));
    done += count;
    at = 0;
    ++shard;
  }
}

}  // namespace ddl
