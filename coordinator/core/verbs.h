// What people may ask of a run in its present state.
#pragma once

#include "coordinator/core/state.h"

namespace ddl::coordinator {

bool MayCancel(const v1::RunRecord& run);
bool MayPause(const v1::RunRecord& run);
// A pause that has not taken effect yet may be taken back.
bool MayResume(const v1::RunRecord& run);

}  // namespace ddl::coordinator
