// Strict YAML: one document of maps, lists and scalars, and nothing else.
//
// The only files that see yaml-cpp, and with it its exceptions, are yaml.{h,cc}. What a file may
// cost is bounded before yaml-cpp sees it: size, length of lines, number of indicators; and by its
// events before a tree is built: depth, nodes, length of scalars.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/config_node.h"

namespace ddl {

inline constexpr int kMaxYamlBytes = 256 << 10;
inline constexpr int kMaxYamlDepth = 16;
inline constexpr int kMaxYamlNodes = 10000;
inline constexpr int kMaxYamlScalarBytes = 8 << 10;
inline constexpr int kMaxYamlLineBytes = 16 << 10;
// Of []{},:?"'&*! in a whole file: a bound of the tokens that yaml-cpp can hold at once.
inline constexpr int kMaxYamlIndicators = 40000;

// The tree of `text`; a key of a map is a scalar and appears once. Anchors, aliases, tags, merge
// keys, duplicate keys, further documents, NUL and what is not UTF-8 go to `errors` with their
// places; so does what is not YAML or over a limit. The tree means nothing unless no error was
// added. `source` begins every place.
ConfigNode ParseYaml(absl::string_view text, const std::string& source, ConfigErrors* errors);

// Reads a file and parses it, or says why it cannot be read: kNotFound and the like, without a
// place. Over the size limit is an error of the file.
absl::StatusOr<ConfigNode> ReadYaml(const std::string& path, ConfigErrors* errors);

}  // namespace ddl
