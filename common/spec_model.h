// What a model's keys mean together: the keys that follow from others, and the shapes that cost is
// counted from. Pure functions of typed messages.
#pragma once

#include "common/architecture.h"
#include "proto/ddl/v1/spec.pb.h"

namespace ddl {

// Whether the residual's state has channels, streams aside: gated kinds with value_channels > 1.
bool HasChannels(const v1::ResidualSpec& residual);

// Whether the kind is the seed's module, with or without its erase term.
bool IsSeedModule(const v1::ResidualSpec& residual);

// Fills in the computed keys that are absent and follow from the model alone: all but head_dim.
void ComputeModelKeys(v1::ModelSpec* model);

// The shapes of a resolved model.
Architecture ArchitectureOf(const v1::ModelSpec& resolved);

}  // namespace ddl
