#include "worker/agent/attempt.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ddl::agent {

std::string ToString(const AttemptKey& key) { return absl::StrCat(key.run, "/e", key.epoch); }

std::string ToString(const RankKey& key) {
  return absl::StrCat(ToString(key.attempt), "/r", key.rank);
}

bool AllExited(const HeldAttempt& attempt) {
  return std::all_of(attempt.ranks.begin(), attempt.ranks.end(),
                     [](const auto& entry) { return entry.second.state == v1::RANK_STATE_EXITED; });
}

}  // namespace ddl::agent
