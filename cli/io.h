// The outside world as a verb sees it, so that tests run verbs in process.
//
// Data goes to `out` and everything else to `err`. A verb reads no environment variable, clock zone
// or terminal except through this.
#pragma once

#include <istream>
#include <map>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/interrupt.h"

namespace ddl::cli {

struct Io {
  std::istream* in = nullptr;
  std::ostream* out = nullptr;
  std::ostream* err = nullptr;
  bool in_is_tty = false;
  bool out_is_tty = false;
  bool err_is_tty = false;
  int rows = 24;  // Of the terminal.
  std::map<std::string, std::string> environment;
  absl::TimeZone zone;         // Of times in tables.
  std::string program_folder;  // Where `ddl` lies; ddl-rank is beside it.
  Interrupt* interrupt = nullptr;

  std::string Env(const std::string& name, const std::string& fallback = "") const {
    const auto found = environment.find(name);
    return found == environment.end() || found->second.empty() ? fallback : found->second;
  }
};

}  // namespace ddl::cli
