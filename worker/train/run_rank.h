// One rank from its launch to its exit: opens data, joins its peers, resumes, trains. LibTorch's
// exceptions end here.
#pragma once

#include <functional>

#include "worker/train/events.h"
#include "worker/train/launch.h"

namespace ddl {

// Runs to the end and says how it ended; all other events go to `events`, the exit does not.
// `should_stop` is asked before every step.
RankExited RunRank(const Launch& launch, EventSink* events,
                   const std::function<bool()>& should_stop);

}  // namespace ddl
