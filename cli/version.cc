// `ddl version`: of this program and, when asked, of the coordinator.
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "common/status.h"
#include "common/version.h"

namespace ddl::cli {
namespace {

absl::StatusOr<ExitCode> RunVersion(const Arguments& arguments, Io& io) {
  Json tree;
  tree["version"] = std::string(Version());
  tree["revision"] = std::string(Revision());
  tree["api_version"] = kApiVersion;
  std::string text = absl::StrCat("ddl ", VersionLine(), "\n");
  if (arguments.Has("server")) {
    DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
    const v1::GetServerResponse& server = client->server();
    tree["server"] = FieldsOf(server);
    absl::StrAppend(
        &text,
        TableText({{{"coordinator"},
                    {absl::StrCat(client->address(), ": ", server.version(), " (revision ",
                                  server.revision(), ", api ", server.api_version(), "), cluster ",
                                  server.cluster_id(), ", term ", server.term())}}},
                  {false, false}, arguments.color));
  }
  DDL_RETURN_IF_ERROR(PrintTree(tree, "version", text, arguments, io));
  return ExitCode::kOk;
}

}  // namespace

Verb VersionVerb() {
  return {.name = "version",
          .doc = "Print the version of ddl",
          .flags = {{"server", 0, "", "Also the coordinator's version"}},
          .run = RunVersion};
}

}  // namespace ddl::cli
