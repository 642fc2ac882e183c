#include "cli/verbs.h"

namespace ddl::cli {

const std::vector<Verb>& Verbs() {
  static const auto* const kVerbs = new std::vector<Verb>{
      ValidateVerb(), SubmitVerb(),      LsVerb(),      DescribeVerb(), LogsVerb(),
      WatchVerb(),    WaitVerb(),        ConfigVerb(),  CancelVerb(),   PauseVerb(),
      ResumeVerb(),   SweepCreateVerb(), WorkersVerb(), QueueVerb(),    DoctorVerb(),
      VersionVerb(),  CompletionVerb(),
  };
  return *kVerbs;
}

}  // namespace ddl::cli
