// The tokens of a split as one text, cut into windows of T tokens that each predict the next one:
// window w reads tokens w T .. w T + T. Mapped, never copied whole; safe to read from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/token_shard.h"

namespace ddl {

class TokenText {
 public:
  explicit TokenText(std::vector<TokenShard> shards);

  int64_t size() const { return size_; }

  // Windows of T tokens with their targets: (size() - 1) / T.
  int64_t Windows(int64_t tokens) const { return size_ > 0 ? (size_ - 1) / tokens : 0; }

  // Tokens start .. start + out.size() - 1, which exist.
  void Copy(int64_t start, absl::Span<int64_t> out) const;

 private:
  std::vector<TokenShard> shards_;
  std::vector<int64_t> starts_;  // Of every shard in the text.
  int64_t size_ = 0;
};

}  // namespace ddl
