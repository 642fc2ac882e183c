// A pager for what is longer than the terminal.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/io.h"

namespace ddl::cli {

// The words of DDL_PAGER, else of PAGER, else of `less -FIRX`, parted at spaces: no shell reads
// them. Empty for no pager: one that is set to nothing or to cat, and a dumb terminal.
std::vector<std::string> PagerCommand(const Io& io);

// Whether `text` has more lines than `rows` and stdout is a terminal.
bool NeedsPager(absl::string_view text, const Io& io);

// Runs `command` with `text` as its input and waits for its end. False when it cannot be started:
// then nothing was shown. SIGPIPE must be ignored: a pager may end before it has read all.
bool Page(const std::vector<std::string>& command, absl::string_view text);

}  // namespace ddl::cli
