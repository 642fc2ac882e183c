// `ddl describe`: all about one run.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/client.h"
#include "cli/run_text.h"
#include "cli/terminal_text.h"
#include "cli/verbs.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

void AppendSection(const std::string& title, const std::vector<std::vector<Cell>>& rows,
                   size_t columns, const Arguments& arguments, std::string* text) {
  if (rows.empty()) return;
  absl::StrAppend(text, "\n", title, "\n",
                  TableText(rows, std::vector<bool>(columns, false), arguments.color));
}

std::string Summary(const v1::RunDetail& detail, const Arguments& arguments, const Io& io) {
  const v1::Run& run = detail.run();
  const v1::ExperimentSpec& spec = detail.spec();
  std::vector<std::vector<Cell>> rows = {
      {{"run"}, {run.id()}},
      {{"name"}, {run.name()}},
      {{"title"}, {spec.title().empty() ? "-" : spec.title()}},
      {{"state"}, {run.state(), ColorOfState(run.state())}},
      {{"reason"}, {run.reason().empty() ? "-" : run.reason()}},
      {{"experiment"}, {absl::StrCat(run.experiment(), " (", run.experiment_id(), ")")}},
      {{"user"}, {run.user()}},
      {{"residual"}, {run.residual()}},
      {{"seed"}, {absl::StrCat(run.seed())}},
      {{"progress"},
       {absl::StrCat(ProgressText(run), " tokens, step ", run.step(), ", ",
                     SecondsText(run.active_seconds()), " active")}},
      {{"loss"},
       {absl::StrCat("train ", LossText(run.train_loss()), ", val ", LossText(run.val_loss()),
                     ", best val ", LossText(run.best_val_loss()))}},
      {{"data"}, {absl::StrCat(spec.data().path(), " ", spec.data().manifest_sha256())}},
      {{"submitted"}, {LocalTime(run.submitted(), io.zone)}},
      {{"started"}, {LocalTime(run.started(), io.zone)}},
      {{"ended"}, {LocalTime(run.ended(), io.zone)}}};
  return TableText(rows, {false, false}, arguments.color);
}

std::string DetailText(const v1::RunDetail& detail, const Arguments& arguments, const Io& io) {
  std::string text = Summary(detail, arguments, io);
  std::vector<std::vector<Cell>> rows;
  for (const v1::Attempt& attempt : detail.attempts()) {
    if (rows.empty()) {
      rows.push_back({{"ATTEMPT"},
                      {"EPOCH"},
                      {"STATE"},
                      {"WORKERS"},
                      {"FROM"},
                      {"TO"},
                      {"STARTED"},
                      {"ENDED"},
                      {"ENGINE"},
                      {"MESSAGE"}});
    }
    const std::string message = attempt.exit_class().empty()
                                    ? attempt.message()
                                    : absl::StrCat(attempt.exit_class(), " (", attempt.exit_code(),
                                                   ") ", attempt.message());
    rows.push_back({{absl::StrCat(attempt.attempt())},
                    {absl::StrCat(attempt.epoch())},
                    {attempt.state(), ColorOfState(attempt.state())},
                    {absl::StrJoin(attempt.workers(), " ")},
                    {absl::StrCat(attempt.resumed_step())},
                    {absl::StrCat(attempt.last_step())},
                    {LocalTime(attempt.started(), io.zone)},
                    {LocalTime(attempt.ended(), io.zone)},
                    {attempt.rank_zero().engine()},
                    {message.empty() ? "-" : message}});
  }
  AppendSection("ATTEMPTS", rows, 10, arguments, &text);
  rows.clear();
  for (const v1::Checkpoint& checkpoint : detail.checkpoints()) {
    if (rows.empty()) {
      rows.push_back({{"STEP"}, {"TOKENS"}, {"STATE"}, {"SIZE"}, {"COMMITTED"}, {"FOLDER"}});
    }
    rows.push_back({{absl::StrCat(checkpoint.step())},
                    {CountText(static_cast<double>(checkpoint.tokens()))},
                    {checkpoint.state()},
                    {BytesText(static_cast<double>(checkpoint.bytes()))},
                    {LocalTime(checkpoint.committed(), io.zone)},
                    {checkpoint.folder()}});
  }
  AppendSection("CHECKPOINTS", rows, 6, arguments, &text);
  rows.clear();
  for (const v1::RunNotice& notice : detail.notices()) {
    rows.push_back({{notice.severity(), notice.severity() == "info" ? 0 : 33}, {notice.message()}});
  }
  AppendSection("NOTICES", rows, 2, arguments, &text);
  return text;
}

absl::StatusOr<ExitCode> RunDescribe(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(const v1::RunDetail detail, client->GetRun(arguments.positional[0]));
  DDL_RETURN_IF_ERROR(
      PrintObject(detail, "run.id", DetailText(detail, arguments, io), arguments, io));
  return ExitCode::kOk;
}

}  // namespace

Verb DescribeVerb() {
  return {.name = "describe",
          .positional = "RUN",
          .min_positional = 1,
          .max_positional = 1,
          .doc = "Show a run: state, attempts, checkpoints, notices",
          .run = RunDescribe};
}

}  // namespace ddl::cli
