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
#include "common/status.h"

namespace ddl::cli {
namespace {

constexpr absl::Duration kLinePeriod = absl::Seconds(10);
constexpr absl::Duration kRedrawPeriod = absl::Milliseconds(200);
constexpr int kLinesBesideRuns = 4;
constexpr size_t kKeptLosses = 4096;

// What is known of the followed runs, and how it is shown.
class Followed {
 public:
  Followed(const FollowRequest& request, const Arguments& arguments, Io& io)
      : request_(request), arguments_(arguments), io_(io), screen_(request.screen) {}

  // A run as it was before the watch began.
  void Begin(const v1::Run& run) {
    runs_[run.id()] = run;
    losses_[run.id()].push_back(run.train_loss());
    if (!Reached(run)) waiting_.insert(run.id());
  }

  // True while there is more to wait for.
  bool Take(const v1::RunUpdate& update) {
    const v1::Run& run = update.run();
    const bool changed = shown_states_[run.id()] != run.state();
    shown_states_[run.id()] = run.state();
    runs_[run.id()] = run;
    std::vector<double>& losses = losses_[run.id()];
    if (losses.size() < kKeptLosses) losses.push_back(run.train_loss());
    if (Reached(run)) {
      waiting_.erase(run.id());
    } else {
      waiting_.insert(run.id());
    }
    Show(update, changed);
    return Waiting();
  }

  // Until the end, only the coordinator knows when a sweep makes no further runs.
  bool Waiting() const { return !request_.reached || !waiting_.empty(); }

  void Pause() {
    if (request_.screen != nullptr && !request_.json_lines && !request_.redraw) PrintLine();
  }

  // The last state, which an update may have come too early for.
  void Finish() {
    if (request_.screen != nullptr && !request_.json_lines && request_.redraw) Redraw();
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
  bool Reached(const v1::Run& run) const {
    return HasEnded(run.state()) || (request_.reached && request_.reached(run));
  }

  void PrintLine() {
    if (absl::Now() - last_line_ < kLinePeriod) return;
    last_line_ = absl::Now();
    *request_.screen << TerminalText(SummaryLine(), false) << "\n" << std::flush;
  }

  void Show(const v1::RunUpdate& update, bool changed) {
    if (request_.screen == nullptr) return;
    if (request_.json_lines) {
      *request_.screen << JsonLine(FieldsOf(update)) << std::flush;
    } else if (request_.redraw) {
      if (absl::Now() - last_draw_ >= kRedrawPeriod) Redraw();
    } else if (changed) {
      *request_.screen << TerminalText(RunLine(update.run()), false) << "\n" << std::flush;
    } else {
      PrintLine();
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

  void Redraw() {
    last_draw_ = absl::Now();
    const std::vector<v1::Run> runs = Runs();
    const auto shown = static_cast<size_t>(std::max(1, io_.rows - kLinesBesideRuns));
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
      if (rows.size() > shown) break;
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
    if (runs.size() > shown) {
      absl::StrAppend(&block, "and ", runs.size() - shown, " more\n");
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
  std::map<std::string, std::string> shown_states_;
  std::map<std::string, std::vector<double>> losses_;
  std::set<std::string> waiting_;
  absl::Time last_line_ = absl::Now();
  absl::Time last_draw_ = absl::InfinitePast();
};

}  // namespace

absl::StatusOr<std::vector<v1::Run>> Follow(Client& client, const FollowRequest& request,
                                            const Arguments& arguments, Io& io) {
  Followed followed(request, arguments, io);
  v1::ListRunsRequest present;
  *present.mutable_selector() = request.selector;
  DDL_ASSIGN_OR_RETURN(const std::vector<v1::Run> runs, client.ListRuns(present));
  for (const v1::Run& run : runs) followed.Begin(run);
  if (!followed.empty() && !followed.Waiting()) return followed.Runs();
  const absl::Status status =
      client.Watch(request.selector,
                   {.on_update = [&](const v1::RunUpdate& update) { return followed.Take(update); },
                    .on_pause = [&] { followed.Pause(); },
                    .on_lost = [&](const absl::Status& lost) { followed.Lost(lost); }});
  followed.Finish();
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
