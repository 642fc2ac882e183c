#include "cli/verbs.h"

namespace ddl::cli {

const std::vector<Verb>& Verbs() {
  static const auto* const kVerbs = new std::vector<Verb>{
      VersionVerb(),
      CompletionVerb(),
  };
  return *kVerbs;
}

}  // namespace ddl::cli
