// How attempts are stopped, fail and end, and what then becomes of their runs.
#pragma once

#include <string>

#include "coordinator/core/change.h"

namespace ddl::coordinator {

// Asks the live attempt's ranks to end; a kill is never softened to a drain. Ends it at once if no
// rank is left.
void StopAttempt(Change& change, v1::AttemptRecord* attempt, v1::Stop stop);

struct Failure {
  v1::ExitClass exit_class = v1::EXIT_CLASS_INFRASTRUCTURE;
  int exit_code = 0;
  std::string message;
  std::string worker;
  bool worker_lost = false;
};

// A rank of the live attempt has failed or was preempted: the first such failure is the attempt's;
// its siblings are killed, or drained when this rank was preempted.
void NoteFailure(Change& change, v1::AttemptRecord* attempt, const Failure& failure);

// The rank's process is gone and its slot is free.
void ReleaseRank(Change& change, const v1::RunRecord& run, const v1::AttemptRecord& attempt,
                 v1::RankRecord* rank);

// Ends the attempt if every rank is gone and settled, and moves the run on.
void EndAttemptIfDone(Change& change, v1::RunRecord* run, v1::AttemptRecord* attempt);

// Every rank on `worker` is gone with it, events included; slots stay held until it reports.
void LoseRanksOn(Change& change, const std::string& worker, const std::string& reason);

// Something of this attempt runs: ALLOCATED -> LAUNCHING -> RUNNING, and the run with it.
void MarkRunning(Change& change, v1::RunRecord* run, v1::AttemptRecord* attempt);

}  // namespace ddl::coordinator
