// Runs one command line: parses it, runs the verb, and turns its outcome into messages and an exit
// code.
#pragma once

#include <string>
#include <vector>

#include "cli/verb.h"

namespace ddl::cli {

// `words` is argv without the program. Holds stdout back until the verb has succeeded, unless the
// verb streams.
ExitCode Dispatch(const std::vector<Verb>& verbs, const std::vector<std::string>& words, Io& io);

}  // namespace ddl::cli
