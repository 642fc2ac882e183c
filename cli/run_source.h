// The runs that `compare` and `report` speak of: at the coordinator, or in run folders on this
// machine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/client.h"
#include "cli/verb.h"
#include "common/comparison.h"
#include "proto/ddl/v1/spec.pb.h"

namespace ddl::cli {

struct SourcedRun {
  v1::Run run;
  v1::ExperimentSpec spec;  // Resolved.
  std::map<std::string, std::vector<v1::Point>> series;
  std::string device;
  std::string library_versions;
};

// The runs with the named series that they have; "*" at the end of a name stands for all series
// that begin so. A word that is a run folder is read from disk and everything else asked of the
// coordinator, which is not called when all are folders.
absl::StatusOr<std::vector<SourcedRun>> ReadRuns(const std::vector<std::string>& names,
                                                 const Arguments& arguments, Io& io);

bool AllAreFolders(const Arguments& arguments);
bool AnyIsFolder(const Arguments& arguments);

// The same runs as a comparison takes them.
std::vector<ComparedRun> ForComparison(const std::vector<SourcedRun>& runs,
                                       const std::string& metric);

}  // namespace ddl::cli
