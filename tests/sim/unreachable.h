// Transitions of the life cycles that nothing in this version of the service causes.
#pragma once

#include <map>
#include <string>

namespace ddl::sim {

// The reason; empty for a transition that schedules must show.
inline std::string WhyUnreachable(const std::string& transition) {
  static const auto* const reasons = new std::map<std::string, std::string>{
      {"run:running->stopped_early", "no search method stops runs early"},
      {"worker:ready->cordoned", "no call cordons a worker"},
      {"worker:suspect->cordoned", "no call cordons a worker"},
      {"worker:lost->cordoned", "no call cordons a worker"},
      {"worker:cordoned->ready", "no call cordons a worker"},
      {"checkpoint:writing->corrupt", "a checkpoint is known only once it is prepared"},
      {"checkpoint:deleting->corrupt", "a rank is never handed one that is being deleted"},
      {"experiment:paused->completed", "a paused experiment has a run that has not ended"},
      {"experiment:paused->failed", "a paused experiment has a run that has not ended"},
  };
  const auto found = reasons->find(transition);
  return found == reasons->end() ? "" : found->second;
}

}  // namespace ddl::sim
