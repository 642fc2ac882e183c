// Where the checkout and the build folder of the running tests are. One generated source holds the
// two paths, so that no other object depends on where the checkout lies.
#pragma once

#include <string>

namespace ddl {

// "<checkout>/<relative>"; the checkout itself for "".
std::string SourcePath(const std::string& relative);

// "<build folder>/<relative>", as "bin/ddl-worker".
std::string BuildPath(const std::string& relative);

}  // namespace ddl
