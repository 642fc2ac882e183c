// `ddl completion`: scripts for bash, zsh and fish, made from the table of verbs.
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/verbs.h"

namespace ddl::cli {
namespace {

// "'it'\''s'": one word of any of the three shells.
std::string ShellWord(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

std::vector<std::string> FlagWords(const std::vector<Flag>& flags) {
  std::vector<std::string> words;
  for (const Flag& flag : flags) {
    words.push_back(absl::StrCat("--", flag.name));
    if (flag.short_name != 0) words.push_back(absl::StrCat("-", std::string(1, flag.short_name)));
  }
  return words;
}

// First words of verbs, each once: "sweep" for all of its group.
std::vector<std::string> FirstWords(const std::vector<Verb>& verbs) {
  std::set<std::string> words = {"help"};
  for (const Verb& verb : verbs) words.insert(verb.name.substr(0, verb.name.find(' ')));
  return {words.begin(), words.end()};
}

std::set<std::string> Groups(const std::vector<Verb>& verbs) {
  std::set<std::string> groups;
  for (const Verb& verb : verbs) {
    const size_t space = verb.name.find(' ');
    if (space != std::string::npos) groups.insert(verb.name.substr(0, space));
  }
  return groups;
}

std::vector<std::string> WordsOfGroup(const std::vector<Verb>& verbs, const std::string& group) {
  std::vector<std::string> words;
  for (const Verb& verb : verbs) {
    const std::vector<std::string> parts = absl::StrSplit(verb.name, ' ');
    if (parts.size() == 2 && parts[0] == group) words.push_back(parts[1]);
  }
  return words;
}

// Cases "    --flag) choices ;;" of all flags with a fixed set of values.
std::string ChoiceCases(const std::vector<Verb>& verbs) {
  std::set<std::string> cases;
  const auto add = [&cases](const std::vector<Flag>& flags) {
    for (const Flag& flag : flags) {
      if (flag.choices.empty()) continue;
      std::string names = absl::StrCat("--", flag.name);
      if (flag.short_name != 0) absl::StrAppend(&names, "|-", std::string(1, flag.short_name));
      cases.insert(
          absl::StrCat("    ", names, ") echo \"", absl::StrJoin(flag.choices, " "), "\" ;;\n"));
    }
  };
  add(GlobalFlags());
  for (const Verb& verb : verbs) add(verb.flags);
  return absl::StrJoin(cases, "");
}

// A POSIX shell function that prints the candidates for: previous word, verb, sub-verb.
std::string CandidatesFunction(const std::vector<Verb>& verbs) {
  std::string text = absl::StrCat("_ddl_candidates() {\n  case \"$1\" in\n", ChoiceCases(verbs),
                                  "    *) case \"$2 $3\" in\n", "      ' ') echo \"",
                                  absl::StrJoin(FirstWords(verbs), " "), " ",
                                  absl::StrJoin(FlagWords(GlobalFlags()), " "), "\" ;;\n");
  for (const Verb& verb : verbs) {
    const std::string pattern = verb.name.find(' ') == std::string::npos
                                    ? absl::StrCat("'", verb.name, " '*")
                                    : absl::StrCat("'", verb.name, "'");
    absl::StrAppend(&text, "      ", pattern, ") echo \"",
                    absl::StrJoin(FlagWords(verb.flags), " "), " ",
                    absl::StrJoin(FlagWords(GlobalFlags()), " "), "\" ;;\n");
  }
  for (const std::string& group : Groups(verbs)) {
    absl::StrAppend(&text, "      '", group, " '*) echo \"",
                    absl::StrJoin(WordsOfGroup(verbs, group), " "), "\" ;;\n");
  }
  return absl::StrCat(text, "    esac ;;\n  esac\n}\n");
}

std::string Bash(const std::vector<Verb>& verbs) {
  return absl::StrCat("# bash completion of ddl: source <(ddl completion bash)\n",
                      CandidatesFunction(verbs), R"sh(_ddl() {
  local word="${COMP_WORDS[COMP_CWORD]}" previous="" verb="" sub="" i
  [ "$COMP_CWORD" -gt 0 ] && previous="${COMP_WORDS[COMP_CWORD-1]}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
      -*) ;;
      *) if [ -z "$verb" ]; then verb="${COMP_WORDS[i]}"
         elif [ -z "$sub" ]; then sub="${COMP_WORDS[i]}"; fi ;;
    esac
  done
  COMPREPLY=($(compgen -W "$(_ddl_candidates "$previous" "$verb" "$sub")" -- "$word"))
  [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -F _ddl ddl
)sh");
}

std::string Zsh(const std::vector<Verb>& verbs) {
  return absl::StrCat("#compdef ddl\n# zsh completion of ddl: source <(ddl completion zsh)\n",
                      CandidatesFunction(verbs), R"sh(_ddl() {
  local previous="${words[CURRENT-1]}" verb="" sub="" i
  for ((i = 2; i < CURRENT; i++)); do
    case "${words[i]}" in
      -*) ;;
      *) if [ -z "$verb" ]; then verb="${words[i]}"
         elif [ -z "$sub" ]; then sub="${words[i]}"; fi ;;
    esac
  done
  local -a candidates
  candidates=(${=$(_ddl_candidates "$previous" "$verb" "$sub")})
  compadd -a candidates || _files
}
compdef _ddl ddl
)sh");
}

std::string FishFlags(const std::vector<Flag>& flags, const std::string& condition) {
  std::string text;
  for (const Flag& flag : flags) {
    absl::StrAppend(&text, "complete -c ddl", condition, " -l ", flag.name);
    if (flag.short_name != 0) absl::StrAppend(&text, " -s ", std::string(1, flag.short_name));
    if (!flag.value.empty()) absl::StrAppend(&text, " -r");
    if (!flag.choices.empty()) {
      absl::StrAppend(&text, " -f -a ", ShellWord(absl::StrJoin(flag.choices, " ")));
    }
    absl::StrAppend(&text, " -d ", ShellWord(flag.doc), "\n");
  }
  return text;
}

std::string Fish(const std::vector<Verb>& verbs) {
  std::string text = "# fish completion of ddl: ddl completion fish | source\n";
  const std::string words = absl::StrJoin(FirstWords(verbs), " ");
  for (const std::string& word : FirstWords(verbs)) {
    absl::StrAppend(&text, "complete -c ddl -f -n ",
                    ShellWord(absl::StrCat("not __fish_seen_subcommand_from ", words)), " -a ",
                    word, "\n");
  }
  absl::StrAppend(&text, FishFlags(GlobalFlags(), ""));
  for (const std::string& group : Groups(verbs)) {
    absl::StrAppend(&text, "complete -c ddl -f -n ",
                    ShellWord(absl::StrCat("__fish_seen_subcommand_from ", group)), " -a ",
                    ShellWord(absl::StrJoin(WordsOfGroup(verbs, group), " ")), "\n");
  }
  for (const Verb& verb : verbs) {
    const std::vector<std::string> parts = absl::StrSplit(verb.name, ' ');
    std::vector<std::string> seen;
    seen.reserve(parts.size());
    for (const std::string& part : parts) {
      seen.push_back(absl::StrCat("__fish_seen_subcommand_from ", part));
    }
    absl::StrAppend(
        &text,
        FishFlags(verb.flags, absl::StrCat(" -n ", ShellWord(absl::StrJoin(seen, "; and ")))));
  }
  return text;
}

absl::StatusOr<ExitCode> RunCompletion(const Arguments& arguments, Io& io) {
  const std::string& shell = arguments.positional[0];
  if (shell == "bash") {
    *io.out << Bash(Verbs());
  } else if (shell == "zsh") {
    *io.out << Zsh(Verbs());
  } else if (shell == "fish") {
    *io.out << Fish(Verbs());
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("completion is there for bash, zsh and fish, got ", shell));
  }
  return ExitCode::kOk;
}

}  // namespace

Verb CompletionVerb() {
  return {.name = "completion",
          .positional = "bash|zsh|fish",
          .min_positional = 1,
          .max_positional = 1,
          .doc = "Print a completion script for a shell",
          .run = RunCompletion};
}

}  // namespace ddl::cli
