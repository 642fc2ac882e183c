// `ddl context`: names for coordinators, kept in the user's configuration file.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "cli/contexts.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

// A file named on the command line, as it is found from every folder.
std::string Absolute(const std::string& path) {
  return path.empty() ? "" : std::filesystem::absolute(path).lexically_normal().string();
}

absl::StatusOr<ExitCode> List(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const Contexts contexts, ReadContexts(ContextFile(io)));
  Json rows = Json::array();
  std::vector<std::vector<Cell>> cells = {{{""}, {"NAME"}, {"ADDR"}, {"TOKEN FILE"}, {"TLS CA"}}};
  for (const auto& [name, endpoint] : contexts.by_name) {
    const bool current = name == contexts.current;
    rows.push_back({{"name", name},
                    {"current", current},
                    {"addr", endpoint.address},
                    {"token_file", endpoint.token_file},
                    {"tls_ca", endpoint.tls_ca}});
    cells.push_back({{current ? "*" : "", 32},
                     {name},
                     {endpoint.address},
                     {endpoint.token_file.empty() ? "-" : endpoint.token_file},
                     {endpoint.tls_ca.empty() ? "-" : endpoint.tls_ca}});
  }
  if (rows.empty()) *io.err << "no contexts; next: ddl context set NAME --addr HOST:PORT\n";
  DDL_RETURN_IF_ERROR(
      PrintRows(rows, {"name", "current", "addr", "token_file", "tls_ca"},
                rows.empty() ? "" : TableText(cells, std::vector<bool>(5, false), arguments.color),
                arguments, io));
  return ExitCode::kOk;
}

// Reads the file, lets `change` alter it, and writes it back.
template <typename Function>
absl::StatusOr<ExitCode> Alter(Io& io, const std::string& said, Function change) {
  const std::string path = ContextFile(io);
  DDL_ASSIGN_OR_RETURN(Contexts contexts, ReadContexts(path));
  DDL_RETURN_IF_ERROR(change(&contexts));
  DDL_RETURN_IF_ERROR(WriteContexts(path, contexts));
  *io.err << said << " in " << path << "\n";
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Use(const Arguments& arguments, Io& io) {
  const std::string& name = arguments.positional[0];
  return Alter(io, absl::StrCat("context ", name, " is current"), [&](Contexts* contexts) {
    const absl::Status known = CheckContext(*contexts, name);
    if (known.ok()) contexts->current = name;
    return known;
  });
}

absl::StatusOr<ExitCode> Set(const Arguments& arguments, Io& io) {
  const std::string& name = arguments.positional[0];
  DDL_RETURN_IF_ERROR(Annotate(CheckName(name), "context"));
  if (!arguments.Has("addr")) {
    return absl::InvalidArgumentError("`ddl context set` needs --addr HOST:PORT");
  }
  return Alter(io, absl::StrCat("context ", name, " is set"), [&](Contexts* contexts) {
    contexts->by_name[name] = {arguments.Get("addr"), Absolute(arguments.Get("token-file")),
                               Absolute(arguments.Get("tls-ca"))};
    if (contexts->current.empty()) contexts->current = name;
    return absl::OkStatus();
  });
}

absl::StatusOr<ExitCode> Remove(const Arguments& arguments, Io& io) {
  const std::string& name = arguments.positional[0];
  return Alter(io, absl::StrCat("context ", name, " is removed"), [&](Contexts* contexts) {
    const absl::Status known = CheckContext(*contexts, name);
    if (!known.ok()) return known;
    contexts->by_name.erase(name);
    if (contexts->current == name) contexts->current.clear();
    return absl::OkStatus();
  });
}

Verb NamedVerb(const std::string& name, const std::string& doc, decltype(Verb::run) run) {
  return {.name = name,
          .positional = "NAME",
          .min_positional = 1,
          .max_positional = 1,
          .doc = doc,
          .run = run};
}

}  // namespace

Verb ContextListVerb() {
  return {.name = "context ls", .doc = "List the named coordinators", .run = List};
}

Verb ContextUseVerb() {
  return NamedVerb("context use", "Make a context the one that ddl speaks to", Use);
}

Verb ContextSetVerb() {
  Verb verb = NamedVerb("context set", "Name a coordinator, with its --addr", Set);
  verb.more =
      "--token-file and --tls-ca go with it; the first context is also made current. The file is\n"
      "~/.config/ddl/config.yaml, or below XDG_CONFIG_HOME.";
  return verb;
}

Verb ContextRemoveVerb() { return NamedVerb("context rm", "Forget a context", Remove); }

}  // namespace ddl::cli
