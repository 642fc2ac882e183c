#include "common/credentials.h"

#include <sys/stat.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl {
namespace {

constexpr int64_t kMaxCredentialBytes = 1 << 20;
constexpr size_t kMinSecretBytes = 32;

absl::StatusOr<std::string> ReadPrivate(const std::string& path, absl::string_view what) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0)
    return ErrnoStatus(absl::StrCat("cannot open ", what), path);
  if ((status.st_mode & S_IRWXO) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(what, " ", path, " must not be accessible to others: its mode is ",
                     absl::StrFormat("%03o", status.st_mode & 0777U), "; use chmod o="));
  }
  return ReadFile(path, kMaxCredentialBytes);
}

// Compares without a branch on the contents; both are hex digests of the same length.
bool SameDigest(absl::string_view a, absl::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

}  // namespace

bool IsLoopback(absl::string_view address) {
  if (absl::StartsWith(address, "unix:")) return true;
  const absl::string_view host = address.substr(0, address.rfind(':'));
  return host == "localhost" || host == "[::1]" ||
         (absl::StartsWith(host, "127.") && host.find_first_not_of("0123456789.") == host.npos);
}

absl::StatusOr<std::vector<AccessToken>> ParseTokens(absl::string_view text) {
  std::vector<AccessToken> tokens;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    const size_t dot = line.find('.');
    const absl::string_view id = line.substr(0, dot == line.npos ? 0 : dot);
    const size_t secret = line.size() - id.size() - 1;
    if (!CheckName(id).ok() || secret < kMinSecretBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": a token is <id>.<secret>, with a name as id and ",
                       kMinSecretBytes, " characters or more as secret"));
    }
    tokens.push_back({std::string(id), Sha256Hex(line)});
  }
  if (tokens.empty()) return absl::InvalidArgumentError("holds no token");
  return tokens;
}

absl::StatusOr<ServerSecurity> ReadServerSecurity(const std::string& address,
                                                  const CredentialFiles& files) {
  const int given = !files.tls_cert.empty() + !files.tls_key.empty() + !files.tokens.empty();
  ServerSecurity security;
  if (given == 0 && IsLoopback(address)) return security;
  if (given != 3) {
    return absl::FailedPreconditionError(absl::StrCat(
        "address ", address, IsLoopback(address) ? " with credentials" : ", which is no loopback,",
        " needs all of a TLS certificate, its key and a token file; ", given, " of 3 were given"));
  }
  security.tls = true;
  DDL_ASSIGN_OR_RETURN(security.cert, ReadFile(files.tls_cert, kMaxCredentialBytes));
  DDL_ASSIGN_OR_RETURN(security.key, ReadPrivate(files.tls_key, "TLS key"));
  DDL_ASSIGN_OR_RETURN(const std::string text, ReadPrivate(files.tokens, "token file"));
  absl::StatusOr<std::vector<AccessToken>> tokens = ParseTokens(text);
  if (!tokens.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("token file ", files.tokens, ": ", tokens.status().message()));
  }
  security.tokens = *std::move(tokens);
  return security;
}

absl::StatusOr<AccessToken> FindBearer(const std::vector<AccessToken>& tokens,
                                       absl::string_view authorization) {
  if (!absl::ConsumePrefix(&authorization, "Bearer ")) {
    return absl::UnauthenticatedError("this address needs a token: authorization \"Bearer ...\"");
  }
  const std::string presented = Sha256Hex(absl::StripAsciiWhitespace(authorization));
  const AccessToken* found = nullptr;
  for (const AccessToken& token : tokens) {
    if (SameDigest(token.sha256, presented)) found = &token;
  }
  if (found == nullptr) return absl::UnauthenticatedError("the token is not known here");
  return *found;
}

absl::StatusOr<ClientSecurity> ReadClientSecurity(const std::string& address,
                                                  const std::string& ca_file,
                                                  const std::string& token_file) {
  ClientSecurity security;
  security.tls = !IsLoopback(address) || !ca_file.empty();
  if (!ca_file.empty()) {
    DDL_ASSIGN_OR_RETURN(security.ca, ReadFile(ca_file, kMaxCredentialBytes));
  }
  if (token_file.empty()) return security;
  DDL_ASSIGN_OR_RETURN(const std::string text, ReadPrivate(token_file, "token file"));
  const absl::StatusOr<std::vector<AccessToken>> tokens = ParseTokens(text);
  if (!tokens.ok()) return Annotate(tokens.status(), absl::StrCat("token file ", token_file));
  const absl::string_view all = absl::StripAsciiWhitespace(text);
  security.token = std::string(absl::StripAsciiWhitespace(all.substr(0, all.find('\n'))));
  return security;
}

}  // namespace ddl
