#include "cli/help.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace ddl::cli {
namespace {

// Two columns: the left one as wide as its widest cell.
std::string TwoColumns(const std::vector<std::pair<std::string, std::string>>& rows) {
  size_t width = 0;
  for (const auto& [left, right] : rows) width = std::max(width, left.size());
  std::string text;
  for (const auto& [left, right] : rows) {
    absl::StrAppend(&text, "  ", left, std::string(width - left.size() + 2, ' '), right, "\n");
  }
  return text;
}

std::string FlagsText(const std::vector<Flag>& flags) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Flag& flag : flags) {
    std::string left = flag.short_name == 0
                           ? absl::StrCat("    --", flag.name)
                           : absl::StrCat("-", std::string(1, flag.short_name), ", --", flag.name);
    if (!flag.value.empty()) absl::StrAppend(&left, " ", flag.value);
    rows.emplace_back(left, flag.doc);
  }
  return TwoColumns(rows);
}

std::string VerbsText(const std::vector<Verb>& verbs, absl::string_view prefix) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Verb& verb : verbs) {
    if (!absl::StartsWith(verb.name, prefix)) continue;
    const std::string gap = verb.positional.empty() ? "" : " ";
    rows.emplace_back(absl::StrCat(verb.name, gap, verb.positional), verb.doc);
  }
  return TwoColumns(rows);
}

}  // namespace

std::string HelpOfProgram(const std::vector<Verb>& verbs) {
  return absl::StrCat(
      "Deltaworks trains Deep Delta Learning models and compares them fairly.\n\n"
      "Usage: ddl [FLAGS] VERB [ARGUMENTS] [FLAGS]\n\nVerbs:\n",
      VerbsText(verbs, ""), "\nFlags of every verb:\n", FlagsText(GlobalFlags()),
      "\nRUN is an id, the beginning of one, a name, @last (the newest) or\n"
      "@best (the lowest validation loss).\n"
      "Exit codes: 0 ok, 1 failure, 2 usage or spec, 3 not found, 4 credentials, 5 conflict,\n"
      "6 coordinator unreachable, 7 run failed, 8 findings, 124 timeout, 130 interrupted.\n");
}

std::string HelpOfGroup(const std::vector<Verb>& verbs, absl::string_view group) {
  return absl::StrCat("Usage: ddl ", group, " VERB [ARGUMENTS] [FLAGS]\n\nVerbs:\n",
                      VerbsText(verbs, absl::StrCat(group, " ")));
}

std::string HelpOfVerb(const Verb& verb) {
  std::string text =
      absl::StrCat(verb.doc, ".\n\nUsage: ddl ", verb.name, verb.positional.empty() ? "" : " ",
                   verb.positional, " [FLAGS]\n");
  if (!verb.more.empty()) absl::StrAppend(&text, "\n", verb.more, "\n");
  if (!verb.flags.empty()) absl::StrAppend(&text, "\nFlags:\n", FlagsText(verb.flags));
  absl::StrAppend(&text, "\nFlags of every verb:\n", FlagsText(GlobalFlags()));
  return text;
}

}  // namespace ddl::cli
