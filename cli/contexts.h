// Named coordinators in the user's configuration file, and which one a command line speaks to.
//
//   current: lab
//   contexts:
//     lab: {addr: "head.lab:7070", tls-ca: /etc/ddl/ca.crt, token-file: /etc/ddl/token}
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/io.h"
#include "cli/verb.h"

namespace ddl::cli {

struct Endpoint {
  std::string address;
  std::string token_file;
  std::string tls_ca;
};

struct Contexts {
  std::string current;  // Empty: none.
  std::map<std::string, Endpoint> by_name;
};

// $XDG_CONFIG_HOME/ddl/config.yaml, or below ~/.config; empty without a home.
std::string ContextFile(const Io& io);

// A file that is not there holds no contexts. kInvalidArgument with file, line and column for what
// is wrong with one.
absl::StatusOr<Contexts> ReadContexts(const std::string& path);
absl::Status WriteContexts(const std::string& path, const Contexts& contexts);

// kNotFound, with the nearest name.
absl::Status CheckContext(const Contexts& contexts, const std::string& name);

// What the flags --addr, --token-file, --tls-ca and --context, the variables DDL_ADDR,
// DDL_TOKEN_FILE, DDL_TLS_CA and DDL_CONTEXT, and the current context say, in this order. A context
// is taken when neither a flag nor, unless --context names it, DDL_ADDR gives the address: a token
// never goes to another coordinator than its own.
absl::StatusOr<Endpoint> EndpointOf(const Arguments& arguments, const Io& io);

}  // namespace ddl::cli
