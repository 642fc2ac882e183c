// Reads the parameters of a sweep file: a mapping from paths of the base spec to W&B's parameter
// grammar.
#pragma once

#include "common/config_node.h"
#include "common/spec_fill.h"
#include "proto/ddl/v1/sweep.pb.h"

namespace ddl {

// Adds every entry of the mapping `parameters` to `sweep`. `filled` gets the places of
// "parameters.<path>"; what cannot be read goes to `errors`.
void ReadParameters(const ConfigNode& parameters, v1::SweepSpec* sweep, FilledKeys* filled,
                    ConfigErrors* errors);

}  // namespace ddl
