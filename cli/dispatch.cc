#include "cli/dispatch.h"

#include <sstream>

#include "absl/strings/str_cat.h"
#include "cli/help.h"
#include "cli/pager.h"
#include "cli/parse.h"
#include "cli/terminal_text.h"
#include "common/logging.h"

namespace ddl::cli {
namespace {

ExitCode Report(const absl::Status& status, const Arguments* arguments, Io& io) {
  if (arguments != nullptr && arguments->Get("log-format") == "json") {
    *io.err << FormatLogLine(LogFormat::kJson, {.time = absl::Now(),
                                                .level = LogLevel::kError,
                                                .component = "ddl",
                                                .message = std::string(status.message())})
            << "\n";
  } else {
    *io.err << "ddl: " << TerminalText(status.message()) << "\n";
  }
  return ExitCodeOf(status);
}

// Tables that are longer than the terminal go through the pager, if it starts.
void Show(const std::string& text, const Arguments& arguments, Io& io) {
  const bool table = arguments.output == Format::kTable || arguments.output == Format::kWide;
  if (table && !arguments.Has("no-pager") && NeedsPager(text, io)) {
    const std::vector<std::string> command = PagerCommand(io);
    if (!command.empty() && Page(command, text)) return;
  }
  *io.out << text;
}

bool Streams(const Arguments& arguments) {
  const Verb& verb = *arguments.verb;
  return verb.streams || (!verb.streams_with.empty() && arguments.Has(verb.streams_with));
}

ExitCode RunVerb(const Arguments& arguments, Io& io) {
  if (Streams(arguments)) {
    const auto code = arguments.verb->run(arguments, io);
    return code.ok() ? *code : Report(code.status(), &arguments, io);
  }
  std::ostringstream held;
  Io held_io = io;
  held_io.out = &held;
  const auto code = arguments.verb->run(arguments, held_io);
  if (!code.ok()) return Report(code.status(), &arguments, io);
  Show(held.str(), arguments, io);
  return *code;
}

}  // namespace

ExitCode Dispatch(const std::vector<Verb>& verbs, const std::vector<std::string>& words, Io& io) {
  if (words.empty()) {
    *io.err << HelpOfProgram(verbs);
    return ExitCode::kUsage;
  }
  const auto line = ParseCommandLine(verbs, words, io);
  if (!line.ok()) return Report(line.status(), nullptr, io);
  if (!line->help) return RunVerb(line->arguments, io);
  *io.out << (line->arguments.verb != nullptr ? HelpOfVerb(*line->arguments.verb)
              : line->group.empty()           ? HelpOfProgram(verbs)
                                              : HelpOfGroup(verbs, line->group));
  return ExitCode::kOk;
}

}  // namespace ddl::cli
