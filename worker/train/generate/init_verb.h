// `ddl-rank init`: the initial weights of a model, as a file.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace ddl {

// Writes the file and one line on `out`. 0, or 2 after the errors on `error`; then nothing is
// written.
int InitVerb(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& error);

}  // namespace ddl
