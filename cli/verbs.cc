#include "cli/verbs.h"

namespace ddl::cli {

const std::vector<Verb>& Verbs() {
  static const auto* const kVerbs = new std::vector<Verb>{
      ValidateVerb(),    SubmitVerb(),      LocalVerb(),      LsVerb(),         DescribeVerb(),
      LogsVerb(),        WatchVerb(),       WaitVerb(),       MetricsVerb(),    CompareVerb(),
      ReportVerb(),      ConfigVerb(),      CancelVerb(),     PauseVerb(),      ResumeVerb(),
      SweepCreateVerb(), SweepStatusVerb(), SweepListVerb(),  DataPrepVerb(),   DataInspectVerb(),
      DataVerifyVerb(),  WorkersVerb(),     QueueVerb(),      DoctorVerb(),     VersionVerb(),
      CompletionVerb(),  ContextListVerb(), ContextUseVerb(), ContextSetVerb(), ContextRemoveVerb(),
  };
  return *kVerbs;
}

}  // namespace ddl::cli
