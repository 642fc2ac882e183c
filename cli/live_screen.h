// A block of lines at the foot of a terminal that is drawn again in place.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/ddl/v1/experiments.pb.h"

namespace ddl::cli {

class LiveScreen {
 public:
  explicit LiveScreen(std::ostream* out) : out_(out) {}
  // Replaces what was drawn before. It must have fewer lines than the terminal.
  void Draw(const std::string& block);

 private:
  std::ostream* out_;
  int lines_ = 0;
};

// A curve of block characters, at most `width` wide, low values low; empty for fewer than two.
std::string Sparkline(const std::vector<double>& values, int width);

}  // namespace ddl::cli
