// Runs verbs of `ddl` in process, as main would, and keeps what they wrote.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cli/dispatch.h"
#include "cli/verbs.h"

namespace ddl::cli {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

class InProcess {
 public:
  std::map<std::string, std::string> environment;
  bool tty = false;
  std::string program_folder;
  Interrupt interrupt;

  Outcome Run(const std::vector<std::string>& words, const std::vector<Verb>& verbs = Verbs()) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    Io io;
    io.in = &in;
    io.out = &out;
    io.err = &err;
    io.out_is_tty = tty;
    io.environment = environment;
    io.zone = absl::FixedTimeZone(3600);
    io.program_folder = program_folder;
    io.interrupt = &interrupt;
    Outcome outcome;
    outcome.code = static_cast<int>(Dispatch(verbs, words, io));
    outcome.out = out.str();
    outcome.err = err.str();
    return outcome;
  }
};

}  // namespace ddl::cli
