#include "cli/spec_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/terminal_text.h"
#include "common/dataset.h"
#include "common/names.h"
#include "common/spec_rules.h"
#include "common/status.h"
#include "common/synthetic_spec.h"

namespace ddl::cli {
namespace {

// Fills the computed keys that the data folder knows, into a spec that may be partial.
absl::Status FillFromData(const Arguments& arguments, const Io& io, v1::ExperimentSpec* spec,
                          std::vector<std::string>* warnings) {
  if (spec->data().path().empty() || SyntheticTaskOf(*spec)) return absl::OkStatus();
  const std::string folder = DataFolderOf(spec->data().path(), arguments, io);
  const auto dataset = OpenDataset(folder);
  if (absl::IsNotFound(dataset.status())) {
    warnings->push_back(absl::StrCat("data.path: no data folder ", Quoted(folder),
                                     " on this machine, so that the run is not pinned to its "
                                     "bytes; name its parent with --data-root"));
    return absl::OkStatus();
  }
  if (!dataset.ok()) return Annotate(dataset.status(), "data.path");
  if (spec->data().manifest_sha256().empty()) {
    spec->mutable_data()->set_manifest_sha256(dataset->manifest_sha256);
  } else if (spec->data().manifest_sha256() != dataset->manifest_sha256) {
    return absl::FailedPreconditionError(
        absl::StrCat("data.manifest_sha256: the spec wants ", spec->data().manifest_sha256(),
                     ", but the manifest of ", Quoted(folder), " has ", dataset->manifest_sha256));
  }
  if (!spec->model().has_vocab_size()) {
    spec->mutable_model()->set_vocab_size(dataset->manifest.vocab_size);
  } else if (spec->model().vocab_size() < dataset->manifest.vocab_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model.vocab_size: must be at least the ", dataset->manifest.vocab_size,
        " tokens of the data folder ", Quoted(folder), ", got ", spec->model().vocab_size()));
  }
  return absl::OkStatus();
}

// A folder as a parameter of the sweep is each run's own.
bool SearchesData(const v1::SweepSpec& sweep) {
  return std::any_of(sweep.parameters().begin(), sweep.parameters().end(),
                     [](const v1::SweepParameter& parameter) {
                       return parameter.path() == "data" ||
                              absl::StartsWith(parameter.path(), "data.");
                     });
}

absl::StatusOr<SpecSource> ReadSweep(const std::string& path,
                                     const std::vector<std::string>& overrides,
                                     const Arguments& arguments, const Io& io) {
  SpecSource source;
  source.kind = SpecFileKind::kSweep;
  DDL_ASSIGN_OR_RETURN(source.sweep, ReadSweepYaml(path, overrides));
  if (!SearchesData(source.sweep)) {
    DDL_RETURN_IF_ERROR(FillFromData(arguments, io, source.sweep.mutable_base(), &source.warnings));
  }
  DDL_RETURN_IF_ERROR(CheckSweep(source.sweep));
  return source;
}

}  // namespace

Flag DataRootFlag() {
  return {"data-root", 0, "FOLDER",
          "Where relative data folders lie (DDL_DATA_ROOT); default the current folder"};
}

std::string DataFolderOf(const std::string& path, const Arguments& arguments, const Io& io) {
  if (absl::StartsWith(path, "/")) return path;
  return absl::StrCat(arguments.Get("data-root", io.Env("DDL_DATA_ROOT", ".")), "/", path);
}

absl::StatusOr<SpecSource> ReadSpecSource(const std::string& path,
                                          const std::vector<std::string>& overrides,
                                          const Arguments& arguments, const Io& io) {
  DDL_ASSIGN_OR_RETURN(const SpecFileKind kind, KindOfSpecFile(path));
  if (kind == SpecFileKind::kSweep) return ReadSweep(path, overrides, arguments, io);
  SpecSource source;
  DDL_ASSIGN_OR_RETURN(const std::vector<std::vector<std::string>> combinations,
                       SplitOverrides(overrides));
  for (const std::vector<std::string>& combination : combinations) {
    DDL_ASSIGN_OR_RETURN(v1::ExperimentSpec spec,
                         ReadExperimentYaml(path, combination, &source.origins));
    std::vector<std::string> warnings;
    DDL_RETURN_IF_ERROR(FillFromData(arguments, io, &spec, &warnings));
    DDL_ASSIGN_OR_RETURN(v1::ExperimentSpec resolved, ResolveSpec(spec));
    source.specs.push_back(std::move(resolved));
    source.warnings = std::move(warnings);
  }
  return source;
}

absl::StatusOr<ExitCode> PrintSpecErrors(const absl::Status& status, Io& io) {
  if (!absl::IsInvalidArgument(status)) return status;
  const std::vector<std::string> lines = absl::StrSplit(status.message(), '\n', absl::SkipEmpty());
  for (const std::string& line : lines) *io.err << TerminalText(line, false) << "\n";
  *io.err << lines.size() << (lines.size() == 1 ? " error\n" : " errors\n");
  return ExitCode::kUsage;
}

}  // namespace ddl::cli
