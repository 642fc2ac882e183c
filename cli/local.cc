// `ddl local`: train a spec in the foreground, without a coordinator: the same rank program, the
// same spec and the same numbers to the last bit.
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/live_screen.h"
#include "cli/local_ranks.h"
#include "cli/output.h"
#include "cli/run_folder.h"
#include "cli/run_text.h"
#include "cli/spec_source.h"
#include "cli/terminal_text.h"
#include "cli/verbs.h"
#include "common/dataset.h"
#include "common/files.h"
#include "common/names.h"
#include "common/series.h"
#include "common/spec_rules.h"
#include "common/spool.h"
#include "common/status.h"
#include "common/synthetic_spec.h"

namespace ddl::cli {
namespace {

constexpr absl::Duration kPollPeriod = absl::Milliseconds(200);
constexpr absl::Duration kProgressPeriod = absl::Seconds(10);
constexpr int kDrained = 75;  // Exit code of a rank that was stopped and has checkpointed.

std::string Absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

// What can be known before a process starts: the data is there and is what the spec says.
absl::Status CheckSequenceSource(const std::string& folder, const v1::ExperimentSpec& spec) {
  DDL_ASSIGN_OR_RETURN(const Dataset dataset, OpenDataset(folder));
  for (const absl::string_view split : {kTrainSplit, kValSplit}) {
    const auto shards = OpenSplit(dataset, split, /*digests=*/false);
    if (!shards.ok()) return shards.status();
  }
  if (dataset.manifest.vocab_size > spec.model().vocab_size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("model.vocab_size must be at least ", dataset.manifest.vocab_size,
                     ", the vocabulary of ", folder, ", got ", spec.model().vocab_size()));
  }
  return absl::OkStatus();
}

absl::StatusOr<LocalRun> PlanRun(const Arguments& arguments, const SpecSource& source,
                                 const Io& io) {
  if (source.kind == SpecFileKind::kSweep || source.specs.size() != 1) {
    return absl::InvalidArgumentError(
        "`ddl local` trains one run; submit a sweep, or values separated by commas, to a "
        "coordinator");
  }
  LocalRun run;
  run.id = IdFromBits(RandomBits());
  run.spec = source.specs[0];
  run.device = arguments.Get("device", "cpu");
  if (!SyntheticTaskOf(run.spec)) {
    run.data_folder = Absolute(DataFolderOf(run.spec.data().path(), arguments, io));
    DDL_RETURN_IF_ERROR(Annotate(CheckSequenceSource(run.data_folder, run.spec), "data.path"));
  }
  run.folder =
      Absolute(arguments.Get("out", absl::StrCat("ddl-runs/", run.spec.name(), "-", run.id)));
  if (IsRunFolder(run.folder)) {
    return absl::AlreadyExistsError(
        absl::StrCat("--out: ", Quoted(run.folder), " holds a run already"));
  }
  return run;
}

// The spool of rank 0 as it grows.
class Spooled {
 public:
  explicit Spooled(const LocalRun& run) {
    folder_.path = absl::StrCat(run.folder, "/r0");
    folder_.launch = LaunchesOf(run, 0)[0];
  }

  absl::Status ReadMore() {
    if (!reader_) {
      auto reader = SpoolReader::Open(absl::StrCat(folder_.path, "/spool"));
      if (absl::IsNotFound(reader.status())) return absl::OkStatus();
      if (!reader.ok()) return reader.status();
      reader_.emplace(*std::move(reader));
    }
    while (true) {
      DDL_ASSIGN_OR_RETURN(const std::optional<std::string> record, reader_->Next());
      if (!record) return absl::OkStatus();
      v1::RankEvent event;
      if (!event.ParseFromString(*record)) {
        return absl::DataLossError(absl::StrCat(folder_.path, "/spool holds what is no event"));
      }
      AddEvent(event, 1, &folder_);
    }
  }

  const RunFolder& folder() const { return folder_; }

 private:
  RunFolder folder_;
  std::optional<SpoolReader> reader_;
};

// The row that the run would have in `ddl ls`.
v1::Run RowOf(const RunFolder& folder, const std::string& state) {
  const v1::ExperimentSpec& spec = folder.launch.spec();
  v1::Run run;
  run.set_id(folder.launch.run());
  run.set_name(spec.name());
  run.set_state(state);
  run.set_seed(spec.seed());
  run.set_residual(ResidualLabel(spec.model().residual()));
  run.set_experiment(spec.experiment());
  run.set_attempts(1);
  run.set_target_tokens(static_cast<int64_t>(spec.train().tokens()));
  run.set_arm(ArmKey(spec));
  run.set_ranks(folder.launch.world_size());
  const double none = std::numeric_limits<double>::quiet_NaN();
  run.set_train_loss(none);
  run.set_val_loss(none);
  run.set_best_val_loss(none);
  const auto train = folder.series.find(std::string(series::kTrainLoss));
  if (train != folder.series.end()) {
    const v1::Point& last = train->second.back();
    run.set_step(last.step());
    run.set_tokens(last.tokens());
    run.set_active_seconds(last.active_seconds());
    run.set_train_loss(last.value());
  }
  const auto val = folder.series.find(std::string(series::kValLoss));
  if (val != folder.series.end()) {
    run.set_val_loss(val->second.back().value());
    for (const v1::Point& point : val->second) {
      if (!(point.value() >= run.best_val_loss())) run.set_best_val_loss(point.value());
    }
  }
  return run;
}

// Progress on err: one line drawn again on a terminal, else a line every ten seconds.
class Progress {
 public:
  explicit Progress(Io& io) : io_(io), screen_(io.err) {}

  void Show(const RunFolder& folder, bool last) {
    for (; notices_ < folder.notices.size(); ++notices_) {
      const v1::RunNotice& notice = folder.notices[notices_];
      *io_.err << TerminalText(absl::StrCat(notice.severity(), ": ", notice.message()), false)
               << "\n";
      screen_ = LiveScreen(io_.err);
    }
    const bool redraw = io_.err_is_tty && io_.Env("TERM") != "dumb";
    if (!last && !redraw && absl::Now() - shown_ < kProgressPeriod) return;
    const v1::Run run = RowOf(folder, "running");
    if (run.step() == 0) return;
    shown_ = absl::Now();
    const std::string line = absl::StrCat(
        "step ", run.step(), "  ", ProgressText(run), " tokens  loss ", LossText(run.train_loss()),
        "  val ", LossText(run.val_loss()), "  ", SpeedText(run), " tok/s  ",
        last ? "" : absl::StrCat("ETA ", RemainingText(run)), "\n");
    if (redraw) {
      screen_.Draw(line);
    } else {
      *io_.err << line << std::flush;
    }
  }

 private:
  Io& io_;
  LiveScreen screen_;
  absl::Time shown_ = absl::Now();
  size_t notices_ = 0;
};

// "0.9774", and beside it what guessing earns where that is known.
std::string AccuracyText(const RunFolder& folder) {
  const auto accuracy = folder.series.find(std::string(series::kValAccuracy));
  if (accuracy == folder.series.end()) return LossText(std::numeric_limits<double>::quiet_NaN());
  const std::string text = LossText(accuracy->second.back().value());
  const std::optional<SyntheticTask> task = SyntheticTaskOf(folder.launch.spec());
  return task ? absl::StrCat(text, " (chance ", LossText(ChanceAccuracy(*task)), ")") : text;
}

std::string ResultText(const v1::Run& run, const RunFolder& folder, const std::string& path,
                       const Arguments& arguments) {
  return TableText(
      {{{"run"}, {absl::StrCat(run.id(), " (", run.name(), ")")}},
       {{"state"}, {run.state(), ColorOfState(run.state())}},
       {{"residual"}, {run.residual()}},
       {{"seed"}, {absl::StrCat(run.seed())}},
       {{"parameters"},
        {CountText(folder.started ? static_cast<double>(folder.started->parameters())
                                  : std::numeric_limits<double>::quiet_NaN())}},
       {{"steps"}, {absl::StrCat(run.step())}},
       {{"tokens"}, {ProgressText(run)}},
       {{"active time"}, {SecondsText(run.active_seconds())}},
       {{"train loss"}, {LossText(run.train_loss())}},
       {{"val loss"},
        {absl::StrCat(LossText(run.val_loss()), " (best ", LossText(run.best_val_loss()), ")")}},
       {{"val accuracy"}, {AccuracyText(folder)}},
       {{"folder"}, {path}}},
      {false, false}, arguments.color);
}

absl::StatusOr<ExitCode> Finish(const LocalRun& plan, const RunFolder& folder, int code,
                                const Arguments& arguments, Io& io) {
  const bool drained = code == kDrained && io.interrupt->raised();
  const v1::Run run = RowOf(folder, code == 0 ? "succeeded" : drained ? "paused" : "failed");
  if (code != 0 && !drained) {
    const std::string message =
        folder.exited ? folder.exited->message()
                      : absl::StrCat("ddl-rank left no exit record, exit code ", code);
    *io.err << "ddl: run " << run.id() << " failed: " << TerminalText(message, false) << "; see "
            << plan.folder << "/r0/log\n";
    return ExitCode::kRunFailed;
  }
  if (drained) {
    *io.err << "ddl: stopped at step " << run.step() << "; checkpoint below " << plan.folder
            << "/checkpoints\n";
    return ExitCode::kInterrupted;
  }
  Json tree = FieldsOf(run);
  tree["folder"] = plan.folder;
  DDL_RETURN_IF_ERROR(
      PrintTree(tree, "id", ResultText(run, folder, plan.folder, arguments), arguments, io));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Train(const LocalRun& plan, const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(LocalRanks ranks,
                       LocalRanks::Start(plan, absl::StrCat(io.program_folder, "/ddl-rank"), io));
  *io.err << "run " << plan.id << " trains in " << plan.folder << "\n";
  const absl::Time deadline =
      arguments.timeout ? absl::Now() + *arguments.timeout : absl::InfiniteFuture();
  Spooled spooled(plan);
  Progress progress(io);
  bool stopped = false;
  while (!ranks.AllEnded()) {
    ranks.Wait(kPollPeriod);
    DDL_RETURN_IF_ERROR(spooled.ReadMore());
    progress.Show(spooled.folder(), false);
    if (!stopped && (io.interrupt->raised() || absl::Now() > deadline)) {
      stopped = true;
      *io.err << "ddl: stopping after a checkpoint\n";
      ranks.Stop();
    }
  }
  DDL_RETURN_IF_ERROR(spooled.ReadMore());
  progress.Show(spooled.folder(), true);
  if (stopped && !io.interrupt->raised() && ranks.exit_code() == kDrained) {
    return absl::DeadlineExceededError(
        absl::StrCat("--timeout is over; checkpoint below ", plan.folder, "/checkpoints"));
  }
  return Finish(plan, spooled.folder(), ranks.exit_code(), arguments, io);
}

absl::StatusOr<ExitCode> RunLocal(const Arguments& arguments, Io& io) {
  const std::vector<std::string> overrides(arguments.positional.begin() + 1,
                                           arguments.positional.end());
  const auto source = ReadSpecSource(arguments.positional[0], overrides, arguments, io);
  if (!source.ok()) return PrintSpecErrors(source.status(), io);
  DDL_ASSIGN_OR_RETURN(const LocalRun plan, PlanRun(arguments, *source, io));
  return Train(plan, arguments, io);
}

}  // namespace

Verb LocalVerb() {
  return {.name = "local",
          .positional = "SPEC [KEY=VALUE...]",
          .min_positional = 1,
          .max_positional = -1,
          .doc = "Train a spec here and now, without a coordinator",
          .more =
              "The run folder serves `ddl compare`, `report`, `metrics`, `logs` and `config`.\n"
              "Ctrl-C checkpoints and ends.",
          .flags = {{"out", 0, "FOLDER", "Run folder; default ddl-runs/NAME-ID"},
                    {"device", 0, "DEVICE", "Where the ranks compute", {"cpu", "cuda"}},
                    DataRootFlag()},
          .run = RunLocal};
}

}  // namespace ddl::cli
