#include "coordinator/service/watch.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/status.h"
#include "coordinator/core/selector.h"

namespace ddl::coordinator {
namespace {

constexpr absl::Duration kProgressPeriod = absl::Seconds(1);

// What the selector means now: a sweep makes runs while it is watched.
struct Selected {
  uint64_t version = 0;
  std::vector<std::string> runs;
  std::set<std::string> ended;
  bool more_to_come = false;  // A selected experiment will make further runs.
};

absl::StatusOr<Selected> Select(const Sequencer& sequencer, const v1::RunSelector& selector) {
  const State& state = sequencer.core().state();
  DDL_ASSIGN_OR_RETURN(const Selection selection, SelectRuns(state, selector));
  Selected selected;
  selected.version = sequencer.committed_version();
  selected.runs = selection.runs;
  for (const std::string& run : selected.runs) {
    if (HasEnded(FindRun(state, run)->state())) selected.ended.insert(run);
  }
  for (const std::string& id : selection.experiments) {
    selected.more_to_come |= !HasEnded(FindExperiment(state, id)->state());
  }
  return selected;
}

}  // namespace

StreamPlace::StreamPlace(std::atomic<int>* taken, int limit)
    : taken_(*taken), granted_(taken_.fetch_add(1) < limit) {}

StreamPlace::~StreamPlace() { taken_.fetch_sub(1); }

namespace {

// What the client knows of each run: the version of the last look, and the bytes that were sent.
struct Told {
  uint64_t version = 0;
  std::string bytes;
};
using Knowledge = std::map<std::string, Told>;

// Runs that may have news: all that have not ended, and ended ones whose end is not told. Noted
// with the version from which the caller is about to read them.
std::vector<std::string> WorthALook(const Selected& selected, const ChangeFeed& feed,
                                    Knowledge* knowledge) {
  std::vector<std::pair<uint64_t, std::string>> open;
  for (const std::string& run : selected.runs) {
    const uint64_t version = feed.VersionOf(run);
    const auto known = knowledge->find(run);
    const bool news = known == knowledge->end() || version > known->second.version;
    if (!news && selected.ended.count(run) > 0) continue;
    (*knowledge)[run].version = version;
    open.emplace_back(version, run);
  }
  // In order of version, so that the last version received covers all that was sent before it.
  std::sort(open.begin(), open.end());
  std::vector<std::string> runs;
  for (auto& [version, run] : open) runs.push_back(std::move(run));
  return runs;
}

}  // namespace

absl::Status Watch(const v1::WatchExperimentsRequest& request, absl::Time deadline,
                   CommitLoop* loop, RunReader* runs,
                   const std::function<bool(const v1::RunUpdate&)>& send,
                   const std::function<bool()>& stop) {
  Knowledge knowledge;
  uint64_t last_version = request.after_version();
  for (bool first = true;; first = false) {
    DDL_ASSIGN_OR_RETURN(
        const Selected selected,
        loop->Read<Selected>(deadline, [selector = request.selector()](const auto& sequencer) {
          return Select(sequencer, selector);
        }));
    const std::vector<std::string> open = WorthALook(selected, loop->feed(), &knowledge);
    DDL_ASSIGN_OR_RETURN(const std::vector<v1::Run> views, runs->Views(open, deadline));
    for (const v1::Run& view : views) {
      Told& told = knowledge[view.id()];
      std::string bytes = view.SerializeAsString();
      if (bytes == told.bytes) continue;
      told.bytes = std::move(bytes);
      if (first && told.version <= request.after_version()) continue;
      last_version = std::max(last_version, told.version);
      v1::RunUpdate update;
      *update.mutable_run() = view;
      update.set_version(last_version);
      update.set_remaining(static_cast<uint32_t>(selected.runs.size() - selected.ended.size()));
      if (!send(update)) return absl::CancelledError("the client has gone");
    }
    if (selected.ended.size() == selected.runs.size() && !selected.more_to_come) {
      return absl::OkStatus();
    }
    loop->feed().WaitBeyond(selected.version, std::min(deadline, absl::Now() + kProgressPeriod));
    if (stop()) return absl::CancelledError("the client has gone");
    if (loop->feed().closed()) return absl::UnavailableError("the coordinator is ending");
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError("the watch reached its deadline");
    }
  }
}

}  // namespace ddl::coordinator
