// A spec's model as the shapes that cost is computed from, for the CLI and for ranks alike.
#pragma once

#include "common/architecture.h"
#include "proto/ddl/v1/spec.pb.h"

namespace ddl {

// The shapes of a resolved spec's model.
Architecture ArchitectureOf(const v1::ExperimentSpec& spec);

}  // namespace ddl
