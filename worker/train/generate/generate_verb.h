// `ddl-rank generate`: text from a checkpoint or a file of initial weights.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace ddl {

// Prints the prompt and what follows, or a table of gates, on `out`. 0, or 2 after one line on
// `error` for wrong arguments or a file that is no model.
int GenerateVerb(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& error);

}  // namespace ddl
