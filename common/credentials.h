// Who may listen where, and who is believed: loopback needs no credentials; any other address needs
// a TLS certificate and access tokens, on both sides.
//
// A token file holds one token a line, "<id>.<secret>" with a secret of 32 characters or more; the
// id is what logs and the journal name. Secrets are kept as SHA-256 and compared in constant time.
// Sees no gRPC.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddl {

// "127.0.0.1:7070", "[::1]:7070", "localhost:7070", "unix:/path".
bool IsLoopback(absl::string_view address);

struct AccessToken {
  std::string id;
  std::string sha256;  // Of the whole token.
};

struct CredentialFiles {
  std::string tls_cert;  // PEM. Empty: none was given.
  std::string tls_key;
  std::string tokens;
};

struct ServerSecurity {
  bool tls = false;
  std::string cert;
  std::string key;
  std::vector<AccessToken> tokens;  // Empty: calls need none.
};

// kFailedPrecondition names the rule that forbids to serve at `address` with these files: all three
// files or none; none only on loopback; key and tokens readable by owner and group alone.
absl::StatusOr<ServerSecurity> ReadServerSecurity(const std::string& address,
                                                  const CredentialFiles& files);

// Parses a token file's text. kInvalidArgument names the line and the rule, never the token.
absl::StatusOr<std::vector<AccessToken>> ParseTokens(absl::string_view text);

// The token that an "authorization" value ("Bearer <token>") presents; kUnauthenticated. Takes the
// same time for every wrong token.
absl::StatusOr<AccessToken> FindBearer(const std::vector<AccessToken>& tokens,
                                       absl::string_view authorization);

struct ClientSecurity {
  bool tls = false;
  std::string ca;     // PEM; empty: the system's authorities.
  std::string token;  // Sent only over TLS; empty: none.
};

// TLS for every address but loopback, and on loopback when a CA is named. The first token of the
// file is used.
absl::StatusOr<ClientSecurity> ReadClientSecurity(const std::string& address,
                                                  const std::string& ca_file,
                                                  const std::string& token_file);

}  // namespace ddl
