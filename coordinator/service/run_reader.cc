#include "coordinator/service/run_reader.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/names.h"
#include "common/status.h"
#include "coordinator/core/selector.h"
#include "coordinator/core/views.h"
#include "coordinator/service/page.h"

namespace ddl::coordinator {
namespace {

using Progress = std::map<std::string, RunProgress>;

const RunProgress* Find(const Progress& progress, const std::string& run) {
  const auto found = progress.find(run);
  return found == progress.end() ? nullptr : &found->second;
}

absl::Status CheckStates(const std::set<std::string>& wanted) {
  std::vector<std::string> known;
  for (int state = v1::RunState_MIN + 1; state <= v1::RunState_MAX; ++state) {
    known.push_back(Word(static_cast<v1::RunState>(state)));
  }
  for (const std::string& word : wanted) {
    if (std::find(known.begin(), known.end(), word) != known.end()) continue;
    const std::string nearest = DidYouMean(word, known);
    return absl::InvalidArgumentError(
        absl::StrCat("states: ", Quoted(word), " is no state of a run",
                     nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)")));
  }
  return absl::OkStatus();
}

// Ids of one page, newest first, and the token of the next.
struct PageIds {
  std::vector<std::string> runs;
  std::string next;
};

absl::StatusOr<PageIds> SelectPage(const State& state, const v1::ListRunsRequest& request) {
  const std::set<std::string> states(request.states().begin(), request.states().end());
  DDL_RETURN_IF_ERROR(CheckStates(states));
  DDL_ASSIGN_OR_RETURN(const PageLimits limits,
                       ReadPageLimits(request.page_size(), request.page_token()));
  DDL_ASSIGN_OR_RETURN(const Selection selection, SelectRuns(state, request.selector()));
  PageIds page;
  uint64_t last = 0;
  for (auto id = selection.runs.rbegin(); id != selection.runs.rend(); ++id) {
    const v1::RunRecord* const run = FindRun(state, *id);
    if (run->order() >= limits.below) continue;
    if (!states.empty() && states.count(Word(run->state())) == 0) continue;
    if (page.runs.size() == limits.size) {
      page.next = absl::StrCat(last);
      break;
    }
    page.runs.push_back(*id);
    last = run->order();
  }
  return page;
}

}  // namespace

absl::StatusOr<PageLimits> ReadPageLimits(uint32_t size, const std::string& token) {
  PageLimits limits;
  if (size > kMaxPage) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size must be at most ", kMaxPage, ", got ", size));
  }
  if (size != 0) limits.size = size;
  if (!token.empty() && !absl::SimpleAtoi(token, &limits.below)) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_token ", Quoted(token), " is not one of an earlier answer"));
  }
  return limits;
}

absl::StatusOr<std::vector<v1::Run>> RunReader::Views(const std::vector<std::string>& runs,
                                                      absl::Time deadline) {
  DDL_ASSIGN_OR_RETURN(Progress progress, store_.Progress(runs));
  return loop_.Read<std::vector<v1::Run>>(
      deadline, [runs, progress = std::move(progress)](const Sequencer& sequencer) {
        std::vector<v1::Run> views;
        for (const std::string& id : runs) {
          const v1::RunRecord* const run = FindRun(sequencer.core().state(), id);
          if (run != nullptr) views.push_back(RunView(*run, Find(progress, id)));
        }
        return absl::StatusOr<std::vector<v1::Run>>(std::move(views));
      });
}

absl::StatusOr<v1::RunDetail> RunReader::Detail(const std::string& word, absl::Time deadline) {
  DDL_ASSIGN_OR_RETURN(const std::string id,
                       loop_.Read<std::string>(deadline, [word](const Sequencer& sequencer) {
                         return ResolveRun(sequencer.core().state(), word);
                       }));
  DDL_ASSIGN_OR_RETURN(Progress progress, store_.Progress({id}));
  return loop_.Read<v1::RunDetail>(
      deadline,
      [id, progress =
               std::move(progress)](const Sequencer& sequencer) -> absl::StatusOr<v1::RunDetail> {
        return RunDetailView(*FindRun(sequencer.core().state(), id), Find(progress, id));
      });
}

absl::StatusOr<RunReader::Page> RunReader::List(const v1::ListRunsRequest& request,
                                                absl::Time deadline) {
  DDL_ASSIGN_OR_RETURN(const PageIds ids,
                       loop_.Read<PageIds>(deadline, [request](const Sequencer& sequencer) {
                         return SelectPage(sequencer.core().state(), request);
                       }));
  Page page;
  page.next = ids.next;
  DDL_ASSIGN_OR_RETURN(page.runs, Views(ids.runs, deadline));
  return page;
}

}  // namespace ddl::coordinator
