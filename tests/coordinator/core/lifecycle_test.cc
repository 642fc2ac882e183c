#include "coordinator/core/lifecycle.h"

#include <catch2/catch.hpp>
#include <set>

#include "coordinator/core/state.h"

namespace ddl::coordinator {
namespace {

// The arrows that design.md draws, written down a second time.
TEST_CASE("Every arrow of the design is allowed") {
  CHECK(IsAllowed(Arrow(v1::RUN_STATE_QUEUED, v1::RUN_STATE_PLACED)));
  CHECK(IsAllowed(Arrow(v1::RUN_STATE_PLACED, v1::RUN_STATE_RUNNING)));
  for (const auto to : {v1::RUN_STATE_SUCCEEDED, v1::RUN_STATE_FAILED, v1::RUN_STATE_STOPPED_EARLY,
                        v1::RUN_STATE_CANCELED, v1::RUN_STATE_PREEMPTING, v1::RUN_STATE_BACKOFF}) {
    CHECK(IsAllowed(Arrow(v1::RUN_STATE_RUNNING, to)));
  }
  for (const auto from : {v1::RUN_STATE_PAUSED, v1::RUN_STATE_PREEMPTING, v1::RUN_STATE_BACKOFF}) {
    CHECK(IsAllowed(Arrow(from, v1::RUN_STATE_QUEUED)));
  }
  CHECK(IsAllowed(Arrow(v1::ATTEMPT_STATE_LOST, v1::ATTEMPT_STATE_FENCED)));
  CHECK(IsAllowed(Arrow(v1::WORKER_STATE_READY, v1::WORKER_STATE_SUSPECT)));
  CHECK(IsAllowed(Arrow(v1::WORKER_STATE_SUSPECT, v1::WORKER_STATE_LOST)));
  CHECK(IsAllowed(Arrow(v1::CHECKPOINT_STATE_DELETING, v1::CHECKPOINT_STATE_GONE)));
}

TEST_CASE("Nothing leaves an end") {
  for (const Transition& arrow : AllTransitions()) {
    if (arrow.cycle == LifeCycle::kRun) {
      CHECK_FALSE(HasEnded(static_cast<v1::RunState>(arrow.from)));
    }
    if (arrow.cycle == LifeCycle::kExperiment) {
      CHECK_FALSE(HasEnded(static_cast<v1::ExperimentState>(arrow.from)));
    }
  }
}

TEST_CASE("No run starts without being placed, and no lost worker is suspected") {
  CHECK_FALSE(IsAllowed(Arrow(v1::RUN_STATE_QUEUED, v1::RUN_STATE_RUNNING)));
  CHECK_FALSE(IsAllowed(Arrow(v1::RUN_STATE_BACKOFF, v1::RUN_STATE_PLACED)));
  CHECK_FALSE(IsAllowed(Arrow(v1::WORKER_STATE_LOST, v1::WORKER_STATE_SUSPECT)));
  CHECK_FALSE(IsAllowed(Arrow(v1::CHECKPOINT_STATE_GONE, v1::CHECKPOINT_STATE_COMMITTED)));
}

TEST_CASE("Names of arrows are words and differ") {
  std::set<std::string> names;
  for (const Transition& arrow : AllTransitions()) CHECK(names.insert(Name(arrow)).second);
  CHECK(names.count("run:queued->placed") == 1);
  CHECK(names.count("worker:suspect->lost") == 1);
}

}  // namespace
}  // namespace ddl::coordinator
