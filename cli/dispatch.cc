#include "cli/dispatch.h"

#include <sstream>

#include "absl/strings/str_cat.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/terminal_text.h"

namespace ddl::cli {
namespace {

ExitCode Report(const absl::Status& status, Io& io) {
  *io.err << "ddl: " << TerminalText(status.message()) << "\n";
  return ExitCodeOf(status);
}

ExitCode RunVerb(const Arguments& arguments, Io& io) {
  if (arguments.verb->streams) {
    const auto code = arguments.verb->run(arguments, io);
    return code.ok() ? *code : Report(code.status(), io);
  }
  std::ostringstream held;
  Io held_io = io;
  held_io.out = &held;
  const auto code = arguments.verb->run(arguments, held_io);
  if (!code.ok()) return Report(code.status(), io);
  *io.out << held.str();
  return *code;
}

}  // namespace

ExitCode Dispatch(const std::vector<Verb>& verbs, const std::vector<std::string>& words, Io& io) {
  if (words.empty()) {
    *io.err << HelpOfProgram(verbs);
    return ExitCode::kUsage;
  }
  const auto line = ParseCommandLine(verbs, words, io);
  if (!line.ok()) return Report(line.status(), io);
  if (!line->help) return RunVerb(line->arguments, io);
  *io.out << (line->arguments.verb != nullptr ? HelpOfVerb(*line->arguments.verb)
              : line->group.empty()           ? HelpOfProgram(verbs)
                                              : HelpOfGroup(verbs, line->group));
  return ExitCode::kOk;
}

}  // namespace ddl::cli
