// `ddl config`: the spec of a run as YAML that submits the same run again.
#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/run_folder.h"
#include "cli/spec_explained.h"
#include "cli/verbs.h"
#include "common/spec_yaml.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

absl::StatusOr<v1::ExperimentSpec> SpecOf(const std::string& run, const Arguments& arguments,
                                          Io& io) {
  if (IsRunFolder(run)) {
    DDL_ASSIGN_OR_RETURN(const RunFolder folder, ReadRunFolder(run));
    return folder.launch.spec();
  }
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(const v1::RunDetail detail, client->GetRun(run));
  return detail.spec();
}

absl::StatusOr<ExitCode> RunConfig(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(v1::ExperimentSpec spec, SpecOf(arguments.positional[0], arguments, io));
  if (!arguments.Has("resolved")) spec = Shortened(spec);
  if (arguments.output == Format::kTable || arguments.output == Format::kWide ||
      arguments.output == Format::kYaml) {
    *io.out << WriteYaml(spec);
    return ExitCode::kOk;
  }
  DDL_RETURN_IF_ERROR(PrintObject(spec, "name", "", arguments, io));
  return ExitCode::kOk;
}

}  // namespace

Verb ConfigVerb() {
  return {.name = "config",
          .positional = "RUN|FOLDER",
          .min_positional = 1,
          .max_positional = 1,
          .doc = "Print the spec of a run as YAML that submits the same run again",
          .more = "Without --resolved, keys that have their default value are left out.",
          .flags = {{"resolved", 0, "", "Every key, as the run was trained: bit-identical"}},
          .run = RunConfig};
}

}  // namespace ddl::cli
