#include "cli/verbs.h"

namespace ddl::cli {

const std::vector<Verb>& Verbs() {
  static const auto* const kVerbs = new std::vector<Verb>{
      LsVerb(),     DescribeVerb(), LogsVerb(),  WatchVerb(),  CancelVerb(),  PauseVerb(),
      ResumeVerb(), WorkersVerb(),  QueueVerb(), DoctorVerb(), VersionVerb(), CompletionVerb(),
  };
  return *kVerbs;
}

}  // namespace ddl::cli
