#include "cli/follow.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/live_screen.h"
#include "cli/run_text.h"
#include "cli/selection.h"
#include "cli/terminal_text.h"

namespace ddl::cli {
namespace {

constexpr absl::Duration kLinePeriod = absl::Seconds(10);
constexpr absl::Duration kRedrawPeriod = absl::Milliseconds(200);
constexpr size_t kShownRuns = 30;
constexpr size_t kKeptLosses = 4096;

// What is known of the followed runs, and how it is shown.
class Followed {
 public:
  Followed(const FollowRequest& request, const Arguments& arguments, Io& io)
      : request_(request), arguments_(arguments), io_(io), screen_(request.screen) {}

  // True while there is more to wait for.
  bool Take(const v1::RunUpdate& update) {
    const v1::Run& run = update.run();
    const auto known = runs_.find(run.id());
    const bool changed = known == runs_.end() || known->second.state() != run.state();
    runs_[run.id()] = run;
    std::vector<double>& losses = losses_[run.id()];
    if (losses.size() < kKeptLosses) losses.push_back(run.train_loss());
    remaining_ = update.remaining();
    const bool reached = HasEnded(run.state()) || (request_.reached && request_.reached(run));
    if (reached) {
      waiting_.erase(run.id());
    } else {
      waiting_.insert(run.id());
    }
    const bool done = waiting_.empty() && AllKnown();
    Show(update, changed, done);
    return !done;
  }

  void Lost(const absl::Status& status) {
    *io_.err << "ddl: lost the coordinator, trying again: " << TerminalText(status.message())
             << "\n";
  }

  std::vector<v1::Run> Runs() const {
    std::vector<v1::Run> runs;
    for (const auto& [id, run] : runs_) runs.push_back(run);
    std::stable_sort(runs.begin(), runs.end(), [](const v1::Run& a, const v1::Run& b) {
      return std::make_pair(a.submitted().seconds(), a.submitted().nanos()) >
             std::make_pair(b.submitted().seconds(), b.submitted().nanos());
    });
    return runs;
  }
  bool empty() const { return runs_.empty(); }

 private:
  // Updates come one by one; `remaining` counts those selected that have not ended, so that more
  // of them than are known means that more are to come.
  bool AllKnown() const {
    size_t unfinished = 0;
    for (const auto& [id, run] : runs_) unfinished += HasEnded(run.state()) ? 0 : 1;
    return unfinished >= remaining_;
  }

  void Show(const v1::RunUpdate& update, bool changed, bool done) {
    if (request_.screen == nullptr) return;
    if (request_.json_lines) {
      *request_.screen << JsonLine(FieldsOf(update)) << std::flush;
    } else if (request_.redraw) {
      Redraw(done);
    } else if (changed) {
      *request_.screen << TerminalText(RunLine(update.run()), false) << "\n" << std::flush;
    } else if (absl::Now() - last_line_ >= kLinePeriod) {
      last_line_ = absl::Now();
      *request_.screen << TerminalText(SummaryLine(), false) << "\n" << std::flush;
    }
  }

  std::string SummaryLine() const {
    std::map<std::string, int> states;
    std::string running;
    for (const auto& [id, run] : runs_) {
      ++states[run.state()];
      if (run.state() == "running") {
        absl::StrAppend(&running, "; ", run.name(), " ", ProgressText(run), " loss ",
                        LossText(run.train_loss()));
      }
    }
    std::string line = absl::FormatTime("%H:%M:%S ", absl::Now(), io_.zone);
    const char* gap = "";
    for (const auto& [state, count] : states) {
      absl::StrAppend(&line, gap, count, " ", state);
      gap = ", ";
    }
    return line + running;
  }

  void Redraw(bool done) {
    if (!done && absl::Now() - last_draw_ < kRedrawPeriod) return;
    last_draw_ = absl::Now();
    const std::vector<v1::Run> runs = Runs();
    std::vector<std::vector<Cell>> rows = {{{"ID"},
                                            {"NAME"},
                                            {"STATE"},
                                            {"TOKENS"},
                                            {"LOSS"},
                                            {"VAL"},
                                            {"TOK/S"},
                                            {"ETA"},
                                            {"CURVE"}}};
    for (const v1::Run& run : runs) {
      if (rows.size() > kShownRuns) break;
      rows.push_back({{run.id()},
                      {run.name()},
                      {run.state(), ColorOfState(run.state())},
                      {ProgressText(run)},
                      {LossText(run.train_loss())},
                      {LossText(run.val_loss())},
                      {SpeedText(run)},
                      {RemainingText(run)},
                      {Sparkline(losses_.at(run.id()), 12)}});
    }
    std::string block = TableText(rows, {false, false, false, true, true, true, true, true, false},
                                  arguments_.color);
    if (runs.size() > kShownRuns) {
      absl::StrAppend(&block, "and ", runs.size() - kShownRuns, " more\n");
    }
    absl::StrAppend(&block, TerminalText(SummaryOfStates(), false), "\n");
    screen_.Draw(block);
  }

  std::string SummaryOfStates() const {
    size_t ended = 0;
    for (const auto& [id, run] : runs_) ended += HasEnded(run.state()) ? 1 : 0;
    return absl::StrCat(ended, " of ", runs_.size(),
                        " ended. Ctrl-C ends the watching, not the runs.");
  }

  const FollowRequest& request_;
  const Arguments& arguments_;
  Io& io_;
  LiveScreen screen_;
  std::map<std::string, v1::Run> runs_;
  std::map<std::string, std::vector<double>> losses_;
  std::set<std::string> waiting_;
  uint32_t remaining_ = 0;
  absl::Time last_line_ = absl::Now();
  absl::Time last_draw_ = absl::InfinitePast();
};

}  // namespace

absl::StatusOr<std::vector<v1::Run>> Follow(Client& client, const FollowRequest& request,
                                            const Arguments& arguments, Io& io) {
  Followed followed(request, arguments, io);
  const absl::Status status = client.Watch(
      request.selector, [&](const v1::RunUpdate& update) { return followed.Take(update); },
      [&](const absl::Status& lost) { followed.Lost(lost); });
  if (!status.ok()) return status;
  if (followed.empty()) return absl::NotFoundError("no run matches");
  return followed.Runs();
}

ExitCode OutcomeOf(const std::vector<v1::Run>& runs, Io& io) {
  ExitCode code = ExitCode::kOk;
  for (const v1::Run& run : runs) {
    if (run.state() != "failed" && run.state() != "canceled") continue;
    *io.err << "ddl: "
            << TerminalText(absl::StrCat("run ", run.id(), " (", run.name(), ") ", run.state(),
                                         run.reason().empty() ? "" : ": ", run.reason()),
                            false)
            << "\n";
    code = ExitCode::kRunFailed;
  }
  return code;
}

}  // namespace ddl::cli
