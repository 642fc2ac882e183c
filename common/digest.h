// SHA-256 (OpenSSL) and CRC32C, of bytes and of files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddl {

// Streaming SHA-256; FinishHex ends it.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void Update(absl::string_view bytes);
  std::string FinishHex();  // 64 lower-case hex digits.

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string Sha256Hex(absl::string_view bytes);
absl::StatusOr<std::string> Sha256HexOfFile(const std::string& path);

// CRC32C (Castagnoli), as of RFC 3720: Crc32c("123456789") == 0xE3069283.
uint32_t Crc32c(absl::string_view bytes);

}  // namespace ddl
