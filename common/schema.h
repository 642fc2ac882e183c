// JSON schemas (draft 7) of experiment, model and sweep files, for editors, made from the
// descriptors.
//
// They are committed in configs/schema; a test holds them to what this makes. They say what one key
// allows; relations between keys are checked by the programs alone.
#pragma once

#include <string>

namespace ddl {

// JSON text with a final newline; the same for the same descriptors.
std::string ExperimentSchema();
std::string ModelSchema();
std::string SweepSchema();

}  // namespace ddl
