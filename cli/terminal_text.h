// Text from elsewhere made fit for a terminal or a column. Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace ddl::cli {

// `text` with control and bidirectional characters and what is not UTF-8 written as \n, \x1b or
// \u202e, so that a name cannot move the cursor. Newlines stay when `keep_newlines`.
std::string TerminalText(absl::string_view text, bool keep_newlines = true);

// Columns that `text` takes: its code points. TerminalText has made them printable.
int DisplayWidth(absl::string_view text);

}  // namespace ddl::cli
