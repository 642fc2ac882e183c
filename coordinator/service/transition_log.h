// Log lines for what becomes of runs and their attempts, with run, attempt and trace_id. Used by
// the commit loop's thread alone.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "coordinator/core/state.h"

namespace ddl::coordinator {

class TransitionLog {
 public:
  // Writes a line for each of `runs` whose state, or whose newest attempt's, is another than at the
  // last call.
  void Note(const State& state, const std::vector<std::string>& runs);

 private:
  std::map<std::string, std::string> last_;  // By run; of runs that have not ended.
};

}  // namespace ddl::coordinator
