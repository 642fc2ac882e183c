// The table of verbs, in the order of `ddl help`, and the functions that describe each.
#pragma once

#include <vector>

#include "cli/verb.h"

namespace ddl::cli {

// Every verb of `ddl`.
const std::vector<Verb>& Verbs();

Verb CompletionVerb();
Verb VersionVerb();

}  // namespace ddl::cli
