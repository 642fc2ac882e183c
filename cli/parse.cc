#include "cli/parse.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

std::string Suggestion(const std::string& nearest) {
  return nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)");
}

const Flag* FindFlag(const std::vector<Flag>& flags, absl::string_view name) {
  for (const Flag& flag : flags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

const Flag* FindShortFlag(const std::vector<Flag>& flags, char name) {
  for (const Flag& flag : flags) {
    if (flag.short_name == name) return &flag;
  }
  return nullptr;
}

// Walks over the words once; what it knows grows as it goes.
class Parser {
 public:
  Parser(const std::vector<Verb>& verbs, const std::vector<std::string>& words)
      : verbs_(verbs), words_(words) {}

  absl::StatusOr<CommandLine> Parse() {
    while (at_ < words_.size()) {
      const std::string& word = words_[at_++];
      if (flags_ended_ || word.size() < 2 || word[0] != '-') {
        DDL_RETURN_IF_ERROR(TakeWord(word));
      } else if (word == "--") {
        flags_ended_ = true;
      } else {
        DDL_RETURN_IF_ERROR(word[1] == '-' ? TakeLongFlag(word) : TakeShortFlag(word));
      }
    }
    line_.help = arguments().Has("help") || help_verb_;
    if (!line_.help) DDL_RETURN_IF_ERROR(CheckComplete());
    return std::move(line_);
  }

 private:
  Arguments& arguments() { return line_.arguments; }

  absl::Status TakeWord(const std::string& word) {
    if (arguments().verb != nullptr) {
      arguments().positional.push_back(word);
      return absl::OkStatus();
    }
    if (line_.group.empty() && word == "help") {
      help_verb_ = true;
      return absl::OkStatus();
    }
    const std::string name = line_.group.empty() ? word : absl::StrCat(line_.group, " ", word);
    std::vector<std::string> known;
    for (const Verb& verb : verbs_) {
      if (verb.name == name) {
        arguments().verb = &verb;
        line_.group.clear();
        return absl::OkStatus();
      }
      if (line_.group.empty() && absl::StartsWith(verb.name, absl::StrCat(name, " "))) {
        line_.group = name;
        return absl::OkStatus();
      }
      known.push_back(verb.name);
      known.push_back(verb.name.substr(0, verb.name.find(' ')));
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "no verb ", Quoted(name), Suggestion(DidYouMean(name, known)), "; `ddl help` lists them"));
  }

  // A global flag, or one of the verb when that is known already.
  const Flag* Find(absl::string_view name) const {
    const Flag* flag = FindFlag(GlobalFlags(), name);
    if (flag == nullptr && line_.arguments.verb != nullptr) {
      flag = FindFlag(line_.arguments.verb->flags, name);
    }
    return flag;
  }

  absl::Status Unknown(const std::string& word) const {
    std::vector<std::string> known;
    for (const Flag& flag : GlobalFlags()) known.push_back(absl::StrCat("--", flag.name));
    if (line_.arguments.verb == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("no flag ", Quoted(word), " before the verb",
                                                     Suggestion(DidYouMean(word, known)),
                                                     "; a verb's own flags come after it"));
    }
    for (const Flag& flag : line_.arguments.verb->flags) {
      known.push_back(absl::StrCat("--", flag.name));
    }
    return absl::InvalidArgumentError(absl::StrCat("`ddl ", line_.arguments.verb->name,
                                                   "` has no flag ", Quoted(word),
                                                   Suggestion(DidYouMean(word, known))));
  }

  absl::Status TakeLongFlag(const std::string& word) {
    const size_t equals = word.find('=');
    const std::string shown = word.substr(0, equals);
    const Flag* flag = Find(absl::string_view(shown).substr(2));
    if (flag == nullptr) return Unknown(shown);
    if (equals == std::string::npos) return TakeValue(*flag, shown);
    if (flag->value.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(shown, " takes no value, got ", Quoted(word)));
    }
    return Store(*flag, word.substr(equals + 1));
  }

  absl::Status TakeShortFlag(const std::string& word) {
    const Flag* flag = FindShortFlag(GlobalFlags(), word[1]);
    if (flag == nullptr && arguments().verb != nullptr) {
      flag = FindShortFlag(arguments().verb->flags, word[1]);
    }
    if (flag == nullptr || (flag->value.empty() && word.size() > 2)) return Unknown(word);
    if (word.size() == 2) return TakeValue(*flag, word);
    return Store(*flag, word.substr(word[2] == '=' ? 3 : 2));
  }

  absl::Status TakeValue(const Flag& flag, const std::string& shown) {
    if (flag.value.empty()) return Store(flag, "");
    if (at_ == words_.size()) {
      return absl::InvalidArgumentError(absl::StrCat(shown, " needs a value ", flag.value));
    }
    return Store(flag, words_[at_++]);
  }

  absl::Status Store(const Flag& flag, const std::string& value) {
    if (!flag.choices.empty() &&
        std::find(flag.choices.begin(), flag.choices.end(), value) == flag.choices.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag.name, " must be one of ", absl::StrJoin(flag.choices, ", "),
                       ", got ", Quoted(value), Suggestion(DidYouMean(value, flag.choices))));
    }
    if (!flag.repeated && !flag.value.empty() && arguments().Has(flag.name)) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag.name, " is given twice"));
    }
    arguments().flags.emplace(flag.name, value);
    return absl::OkStatus();
  }

  absl::Status CheckComplete() {
    if (arguments().verb == nullptr) {
      return absl::InvalidArgumentError(
          line_.group.empty() ? "a verb is missing; `ddl help` lists them"
                              : absl::StrCat("`ddl ", line_.group, "` needs a verb; `ddl ",
                                             line_.group, " -h` lists them"));
    }
    const Verb& verb = *arguments().verb;
    const int count = static_cast<int>(arguments().positional.size());
    if (count < verb.min_positional) {
      return absl::InvalidArgumentError(
          absl::StrCat("`ddl ", verb.name, "` needs ", verb.positional));
    }
    if (verb.max_positional >= 0 && count > verb.max_positional) {
      return absl::InvalidArgumentError(absl::StrCat(
          "`ddl ", verb.name, "` takes ", verb.positional.empty() ? "no argument" : verb.positional,
          ", got also ", Quoted(arguments().positional[verb.max_positional])));
    }
    return absl::OkStatus();
  }

  const std::vector<Verb>& verbs_;
  const std::vector<std::string>& words_;
  size_t at_ = 0;
  bool flags_ended_ = false;
  bool help_verb_ = false;
  CommandLine line_;
};

bool WantsColor(const Arguments& arguments, const Io& io) {
  return io.out_is_tty && !arguments.Has("no-color") && io.Env("NO_COLOR").empty() &&
         io.Env("TERM") != "dumb";
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<Verb>& verbs,
                                             const std::vector<std::string>& words, const Io& io) {
  DDL_ASSIGN_OR_RETURN(CommandLine line, Parser(verbs, words).Parse());
  Arguments& arguments = line.arguments;
  const auto output = ParseFormat(arguments.Get("output", io.Env("DDL_OUTPUT", "table")));
  if (!output.ok()) return Annotate(output.status(), "DDL_OUTPUT");
  arguments.output = *output;
  arguments.color = WantsColor(arguments, io);
  arguments.yes = arguments.Has("yes");
  if (arguments.Has("timeout")) {
    const auto timeout = ParseDuration(arguments.Get("timeout"));
    if (!timeout.ok()) return Annotate(timeout.status(), "--timeout");
    arguments.timeout = *timeout;
  }
  return line;
}

}  // namespace ddl::cli
