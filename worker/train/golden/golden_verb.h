// `ddl-rank golden FILE... [--json]`: holds this build to reference files.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace ddl {

// Prints a table, or one JSON object, on `out` and one line on `error` for each file that is no
// valid reference. 0; 1 when an error is over its tolerance; 2 for such a file or wrong arguments.
int GoldenVerb(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& error);

}  // namespace ddl
