// A verb of `ddl`: its rules and its function. The one table of them (verbs.h) is what arguments
// are parsed by, what help prints, what shells complete and what suggestions are drawn from.
//
// To add a verb: write a file with a function `Verb XVerb()`, declare it in verbs.h and list it in
// verbs.cc.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/exit_code.h"
#include "cli/io.h"

namespace ddl::cli {

enum class Format { kTable, kWide, kJson, kJsonLines, kYaml, kCsv, kName };
absl::StatusOr<Format> ParseFormat(absl::string_view word);

// A flag of one verb, or of all.
struct Flag {
  std::string name;                  // Without dashes.
  char short_name = 0;               // 0: none.
  std::string value;                 // Placeholder in help; empty for a switch.
  std::string doc;                   // One sentence without a full stop.
  std::vector<std::string> choices;  // Accepted values; empty: any.
  bool repeated = false;             // May be given more than once.
};

// Flags that every verb takes, before or after its name.
const std::vector<Flag>& GlobalFlags();

struct Verb;

// A parsed command line. Flags keep their order; a flag that may not be repeated is there once.
struct Arguments {
  const Verb* verb = nullptr;
  std::vector<std::string> positional;
  std::multimap<std::string, std::string> flags;  // A switch has the value "".

  // Global flags, read.
  Format output = Format::kTable;
  bool color = false;
  bool yes = false;
  std::optional<absl::Duration> timeout;

  bool Has(const std::string& flag) const { return flags.count(flag) > 0; }
  std::string Get(const std::string& flag, const std::string& fallback = "") const;
  std::vector<std::string> All(const std::string& flag) const;
};

struct Verb {
  std::string name;        // "ls", or "sweep create" for a verb of a group.
  std::string positional;  // As help shows them: "RUN...", "SPEC [KEY=VALUE...]".
  int min_positional = 0;
  int max_positional = 0;  // -1: no limit.
  std::string doc;         // One sentence without a full stop.
  std::string more;        // Further help, in full sentences; may be empty.
  std::vector<Flag> flags;
  // True for a verb that prints while it works (logs, watch). Otherwise `out` is held back until
  // the verb has succeeded, so that a failure leaves nothing on stdout.
  bool streams = false;
  std::string streams_with = "";  // A flag that makes it such a verb.
  // Its error becomes "ddl: <message>" on err and the exit code of exit_code.h.
  absl::StatusOr<ExitCode> (*run)(const Arguments& arguments, Io& io) = nullptr;
};

// Reads "30s", "10m", "1h30m", "500ms" or plain seconds; must be above zero.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

}  // namespace ddl::cli
