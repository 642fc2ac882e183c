// Specs as a command line names them: a file with overrides, and what the data folder beside it
// adds to computed keys. What `validate`, `submit`, `local` and `sweep create` share.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/verb.h"
#include "common/spec_yaml.h"
#include "proto/ddl/v1/spec.pb.h"
#include "proto/ddl/v1/sweep.pb.h"

namespace ddl::cli {

struct SpecSource {
  SpecFileKind kind = SpecFileKind::kExperiment;
  std::vector<v1::ExperimentSpec> specs;  // Resolved; several for overrides such as seed=1,2,3.
  SpecOrigins origins;                    // Of the last of them.
  v1::SweepSpec sweep;                    // Of a sweep, as ResolveSweep returns it.
  std::vector<std::string> warnings;
};

// Reads `path`. Relative data folders lie below --data-root, DDL_DATA_ROOT or the current folder;
// one that is there gives data.manifest_sha256 and model.vocab_size. kInvalidArgument lists every
// error of the file, a line each, for PrintSpecErrors; kFailedPrecondition when the folder is not
// the one that the spec pins.
absl::StatusOr<SpecSource> ReadSpecSource(const std::string& path,
                                          const std::vector<std::string>& overrides,
                                          const Arguments& arguments, const Io& io);

// Prints the errors as they are (file:line:col first, for editors), then their number; gives the
// exit code. Other errors are handed on to the dispatch.
absl::StatusOr<ExitCode> PrintSpecErrors(const absl::Status& status, Io& io);

// `data.path` of a spec as a folder of this machine.
std::string DataFolderOf(const std::string& path, const Arguments& arguments, const Io& io);

// The flag --data-root, for a verb's table entry.
Flag DataRootFlag();

}  // namespace ddl::cli
