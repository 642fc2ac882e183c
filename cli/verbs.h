// The table of verbs, in the order of `ddl help`, and the functions that describe each.
#pragma once

#include <vector>

#include "cli/verb.h"

namespace ddl::cli {

// Every verb of `ddl`.
const std::vector<Verb>& Verbs();

Verb CancelVerb();
Verb CompareVerb();
Verb CompletionVerb();
Verb ConfigVerb();
Verb ContextListVerb();
Verb ContextRemoveVerb();
Verb ContextSetVerb();
Verb ContextUseVerb();
Verb DataInspectVerb();
Verb DataPrepVerb();
Verb DataVerifyVerb();
Verb DescribeVerb();
Verb DoctorVerb();
Verb LocalVerb();
Verb LogsVerb();
Verb LsVerb();
Verb MetricsVerb();
Verb PauseVerb();
Verb QueueVerb();
Verb ReportVerb();
Verb ResumeVerb();
Verb SubmitVerb();
Verb SweepCreateVerb();
Verb SweepListVerb();
Verb SweepStatusVerb();
Verb ValidateVerb();
Verb VersionVerb();
Verb WaitVerb();
Verb WatchVerb();
Verb WorkersVerb();

}  // namespace ddl::cli
