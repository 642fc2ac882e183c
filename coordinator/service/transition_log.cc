#include "coordinator/service/transition_log.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/logging.h"
#include "common/trace.h"

namespace ddl::coordinator {
namespace {

std::string WorkersOf(const v1::AttemptRecord& attempt) {
  std::set<std::string> workers;
  for (const v1::RankRecord& rank : attempt.ranks()) workers.insert(rank.worker());
  return absl::StrJoin(workers, ", ");
}

}  // namespace

void TransitionLog::Note(const State& state, const std::vector<std::string>& runs) {
  for (const std::string& id : runs) {
    const v1::RunRecord* run = FindRun(state, id);
    if (run == nullptr) continue;
    const v1::AttemptRecord* attempt = LastAttempt(*run);
    std::string now = Word(run->state());
    if (attempt != nullptr) {
      absl::StrAppend(&now, ", attempt ", attempt->attempt(), " ", Word(attempt->state()), " on ",
                      WorkersOf(*attempt));
    }
    std::string& last = last_[id];
    if (now != last && attempt != nullptr) {
      DDL_LOG(Info, {"run", id}, {"attempt", attempt->epoch()},
              {"trace_id", AttemptTrace(id, attempt->epoch())})
          << now;
    } else if (now != last) {
      DDL_LOG(Info, {"run", id}) << now;
    }
    last = std::move(now);
    if (HasEnded(run->state()) && (attempt == nullptr || !IsLive(attempt->state())))
      last_.erase(id);
  }
}

}  // namespace ddl::coordinator
