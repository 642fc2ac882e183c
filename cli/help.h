// Help texts, made from the table of verbs.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/verb.h"

namespace ddl::cli {

std::string HelpOfProgram(const std::vector<Verb>& verbs);
std::string HelpOfGroup(const std::vector<Verb>& verbs, absl::string_view group);
std::string HelpOfVerb(const Verb& verb);

}  // namespace ddl::cli
