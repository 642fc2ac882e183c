// `ddl version`: of this program and, when asked, of the coordinator.
#include "absl/strings/str_cat.h"
#include "cli/verbs.h"

namespace ddl::cli {
namespace {

absl::StatusOr<ExitCode> Run(const Arguments&, Io& io) {
  *io.out << "ddl " << DDL_VERSION << "\n";
  return ExitCode::kOk;
}

}  // namespace

Verb VersionVerb() { return {.name = "version", .doc = "Print the version", .run = Run}; }

}  // namespace ddl::cli
