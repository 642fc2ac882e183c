// Where to report a broken rule: at the key that the user wrote, not at a default that it clashes
// with.
#pragma once

#include "common/config_node.h"
#include "common/spec_fill.h"
#include "common/spec_rules.h"

namespace ddl {

// Adds `violation` at the first of its keys that was written, else at the mapping that lacks it,
// else at `whole`. Leaves it out when one of its keys could not be read: that is reported already.
void AddViolation(const SpecViolation& violation, const FilledKeys& filled, const Place& whole,
                  ConfigErrors* errors);

// The mappings around "a.b.c", innermost first: "a.b", "a".
std::vector<std::string> ParentsOf(const std::string& path);

}  // namespace ddl
