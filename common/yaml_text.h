// Writes YAML scalars that every YAML reader takes for the same text. (Reading is common/yaml.h.)
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace ddl {

// `text` as it is if it is plainly a word, else double-quoted with JSON's escapes.
std::string YamlScalar(absl::string_view text);

}  // namespace ddl
