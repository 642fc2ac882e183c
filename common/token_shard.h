// Token shards in llm.c's .bin format: 256 int32 (magic 20240520, version 1, number of tokens, the
// rest zero), then uint16 tokens, all little-endian.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/file_writer.h"
#include "common/mapped_file.h"

namespace ddl {

inline constexpr int64_t kTokenShardHeaderBytes = 1024;
inline constexpr int32_t kTokenShardMagic = 20240520;
inline constexpr int32_t kTokenShardVersion = 1;

// A shard mapped for reading.
class TokenShard {
 public:
  // Checks the header, that the file has exactly the bytes that the header announces, and that
  // every token is below `vocab_size`. kNotFound without the file; kDataLoss, naming the file and
  // the rule (for a token also its value and position), for a bad one.
  static absl::StatusOr<TokenShard> Open(const std::string& path, uint32_t vocab_size);

  absl::Span<const uint16_t> tokens() const { return tokens_; }
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  absl::string_view bytes() const { return file_.bytes(); }  // The whole file, for a digest.

 private:
  TokenShard(MappedFile file, absl::Span<const uint16_t> tokens)
      : file_(std::move(file)), tokens_(tokens) {}

  MappedFile file_;
  absl::Span<const uint16_t> tokens_;
};

// Writes a whole shard, atomically. At least one token.
absl::StatusOr<WrittenFile> WriteTokenShard(const std::string& path,
                                            absl::Span<const uint16_t> tokens);

}  // namespace ddl
