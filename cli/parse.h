// Command line to Arguments, by the table of verbs alone. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/verb.h"

namespace ddl::cli {

// What was asked for: a verb to run, or help.
struct CommandLine {
  Arguments arguments;
  bool help = false;  // Of arguments.verb, of `group`, or of ddl when both are empty.
  std::string group;  // "sweep" in `ddl sweep -h`.
};

// `words` is argv without the program. `io` gives environment and terminal. kInvalidArgument names
// the word, the rule and the nearest word that would be right.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<Verb>& verbs,
                                             const std::vector<std::string>& words, const Io& io);

}  // namespace ddl::cli
