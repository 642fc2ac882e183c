#include "coordinator/core/verbs.h"

#include <catch2/catch.hpp>

namespace ddl::coordinator {
namespace {

v1::RunRecord In(v1::RunState state, bool pause_requested = false) {
  v1::RunRecord run;
  run.set_state(state);
  run.set_pause_requested(pause_requested);
  return run;
}

TEST_CASE("A run that has ended can neither be canceled nor paused nor resumed") {
  for (const auto state : {v1::RUN_STATE_SUCCEEDED, v1::RUN_STATE_FAILED,
                           v1::RUN_STATE_STOPPED_EARLY, v1::RUN_STATE_CANCELED}) {
    CHECK_FALSE(MayCancel(In(state)));
    CHECK_FALSE(MayPause(In(state)));
    CHECK_FALSE(MayResume(In(state)));
  }
}

TEST_CASE("Only a paused run, or one on its way there, can be resumed") {
  CHECK(MayResume(In(v1::RUN_STATE_PAUSED)));
  CHECK(MayResume(In(v1::RUN_STATE_PREEMPTING, true)));
  CHECK_FALSE(MayResume(In(v1::RUN_STATE_PREEMPTING, false)));
  CHECK_FALSE(MayResume(In(v1::RUN_STATE_RUNNING)));
  CHECK_FALSE(MayPause(In(v1::RUN_STATE_PAUSED)));
  CHECK(MayCancel(In(v1::RUN_STATE_PAUSED)));
}

}  // namespace
}  // namespace ddl::coordinator
