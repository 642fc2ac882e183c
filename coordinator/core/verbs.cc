#include "coordinator/core/verbs.h"

namespace ddl::coordinator {

bool MayCancel(const v1::RunRecord& run) { return !HasEnded(run.state()); }

bool MayPause(const v1::RunRecord& run) {
  if (run.state() == v1::RUN_STATE_PREEMPTING) return !run.pause_requested();
  return run.state() == v1::RUN_STATE_QUEUED || run.state() == v1::RUN_STATE_BACKOFF ||
         run.state() == v1::RUN_STATE_PLACED || run.state() == v1::RUN_STATE_RUNNING;
}

bool MayResume(const v1::RunRecord& run) {
  return run.state() == v1::RUN_STATE_PAUSED ||
         (run.state() == v1::RUN_STATE_PREEMPTING && run.pause_requested());
}

}  // namespace ddl::coordinator
