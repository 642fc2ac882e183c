// Overrides of a command line, applied to a configuration before anyone knows what its keys mean.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/config_node.h"

namespace ddl {

struct Override {
  enum class Mode { kSet, kAdd, kRemove };  // a.b=v, +a.b=v, ~a.b
  Mode mode = Mode::kSet;
  std::string path;
  ConfigNode value;  // Null for kRemove.
  Place place;       // "override a.b=v".
};

// Parses "a.b=v", "+a.b=v" or "~a.b"; what is not one goes to `errors`. A value that begins with a
// bracket, brace or quote is YAML, any other is a scalar as it stands.
std::vector<Override> ParseOverrides(const std::vector<std::string>& texts, ConfigErrors* errors);

// Whether something was written in an override rather than in a file.
bool IsOverride(const Place& place);

// Applies one override at `keys`, the parts of its path. A mapping is merged into one that is
// there; a later override of a key wins. `root` becomes a mapping if it was nothing.
void ApplyOverride(const Override& change, const std::vector<std::string>& keys, ConfigNode* root,
                   ConfigErrors* errors);

}  // namespace ddl
