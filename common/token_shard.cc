#include "common/token_shard.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace ddl {
namespace {

static_assert(std::endian::native == std::endian::little, "shards are mapped as they are");

using Header = std::array<int32_t, kTokenShardHeaderBytes / sizeof(int32_t)>;

absl::Status Bad(const std::string& path, absl::string_view rule) {
  return absl::DataLossError(absl::StrCat(path, ": ", rule));
}

absl::Status CheckHeader(const std::string& path, const Header& header, int64_t file_bytes) {
  if (header[0] != kTokenShardMagic) {
    return Bad(path, absl::StrCat("magic must be ", kTokenShardMagic, ", got ", header[0]));
  }
  if (header[1] != kTokenShardVersion) {
    return Bad(path, absl::StrCat("version must be ", kTokenShardVersion, ", got ", header[1]));
  }
  if (header[2] < 1) {
    return Bad(path, absl::StrCat("a shard must have at least 1 token, got ", header[2]));
  }
  const int64_t announced = kTokenShardHeaderBytes + int64_t{header[2]} * 2;
  if (file_bytes != announced) {
    return Bad(path,
               absl::StrCat(file_bytes < announced ? "truncated" : "too long", ": ", header[2],
                            " tokens need ", announced, " bytes, the file has ", file_bytes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TokenShard> TokenShard::Open(const std::string& path, uint32_t vocab_size) {
  DDL_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  const absl::string_view bytes = file.bytes();
  if (bytes.empty()) return Bad(path, "the file is empty");
  if (bytes.size() < kTokenShardHeaderBytes) {
    return Bad(path, absl::StrCat("truncated: the header needs ", kTokenShardHeaderBytes,
                                  " bytes, the file has ", bytes.size()));
  }
  Header header{};
  std::memcpy(header.data(), bytes.data(), kTokenShardHeaderBytes);
  DDL_RETURN_IF_ERROR(CheckHeader(path, header, static_cast<int64_t>(bytes.size())));
  // A mapping starts on a page, so that the tokens after 1,024 bytes are aligned.
  const absl::Span<const uint16_t> tokens(
      reinterpret_cast<const uint16_t*>(bytes.data() + kTokenShardHeaderBytes),
      static_cast<size_t>(header[2]));
  const auto bad = std::find_if(tokens.begin(), tokens.end(),
                                [vocab_size](uint16_t token) { return token >= vocab_size; });
  if (bad != tokens.end()) {
    return Bad(path, absl::StrCat("token ", *bad, " at position ", bad - tokens.begin(),
                                  " is beyond the vocabulary of ", vocab_size));
  }
  return TokenShard(std::move(file), tokens);
}

absl::StatusOr<WrittenFile> WriteTokenShard(const std::string& path,
                                            absl::Span<const uint16_t> tokens) {
  constexpr size_t kMaxTokens = std::numeric_limits<int32_t>::max();
  if (tokens.empty() || tokens.size() > kMaxTokens) {
    return absl::InvalidArgumentError(
        absl::StrCat("a shard must have 1 to ", kMaxTokens, " tokens, got ", tokens.size()));
  }
  const Header header = {kTokenShardMagic, kTokenShardVersion, static_cast<int32_t>(tokens.size())};
  DDL_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::Create(path));
  DDL_RETURN_IF_ERROR(writer.Append(
      {reinterpret_cast<const char*>(header.data()), static_cast<size_t>(kTokenShardHeaderBytes)}));
  DDL_RETURN_IF_ERROR(
      writer.Append({reinterpret_cast<const char*>(tokens.data()), tokens.size() * 2}));
  return writer.Finish();
}

}  // namespace ddl
