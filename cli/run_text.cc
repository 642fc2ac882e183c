#include "cli/run_text.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"

namespace ddl::cli {
namespace {

const v1::Run& RunOf(const google::protobuf::Message& row) {
  return static_cast<const v1::Run&>(row);
}

double SpeedOf(const v1::Run& run) {
  return run.active_seconds() > 0 ? static_cast<double>(run.tokens()) / run.active_seconds()
                                  : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::string ProgressText(const v1::Run& run) {
  const std::string done = CountText(static_cast<double>(run.tokens()));
  return run.target_tokens() == run.tokens()
             ? done
             : absl::StrCat(done, "/", CountText(static_cast<double>(run.target_tokens())));
}

std::string SpeedText(const v1::Run& run) { return CountText(SpeedOf(run)); }

std::string RemainingText(const v1::Run& run) {
  if (run.state() != "running") return "-";
  return SecondsText(static_cast<double>(run.target_tokens() - run.tokens()) / SpeedOf(run));
}

std::string RunLine(const v1::Run& run) {
  std::string line =
      absl::StrCat(run.id(), "  ", run.name(), "  ", run.state(), "  ", ProgressText(run));
  if (std::isfinite(run.train_loss())) {
    absl::StrAppend(&line, "  loss ", LossText(run.train_loss()));
  }
  if (std::isfinite(run.val_loss())) absl::StrAppend(&line, "  val ", LossText(run.val_loss()));
  if (!run.reason().empty()) absl::StrAppend(&line, "  (", run.reason(), ")");
  return line;
}

std::vector<Column> RunColumns(absl::TimeZone zone) {
  using google::protobuf::Message;
  return {
      {.header = "ID", .path = "id"},
      {.header = "NAME", .path = "name"},
      {.header = "STATE",
       .path = "state",
       .color = [](const Message& row) { return ColorOfState(RunOf(row).state()); }},
      {.header = "RESIDUAL", .path = "residual"},
      {.header = "SEED", .path = "seed", .right = true},
      {.header = "STEP", .path = "step", .right = true},
      {.header = "TOKENS",
       .path = "tokens",
       .text = [](const Message& row) { return ProgressText(RunOf(row)); },
       .right = true},
      {.header = "LOSS",
       .path = "train_loss",
       .text = [](const Message& row) { return LossText(RunOf(row).train_loss()); },
       .right = true},
      {.header = "VAL_LOSS",
       .path = "val_loss",
       .text = [](const Message& row) { return LossText(RunOf(row).val_loss()); },
       .right = true},
      {.header = "BEST",
       .path = "best_val_loss",
       .text = [](const Message& row) { return LossText(RunOf(row).best_val_loss()); },
       .right = true},
      {.header = "TOK/S",
       .path = "tokens_per_second",
       .text = [](const Message& row) { return SpeedText(RunOf(row)); },
       .right = true},
      {.header = "ETA",
       .path = "remaining_seconds",
       .text = [](const Message& row) { return RemainingText(RunOf(row)); },
       .right = true},
      {.header = "EXPERIMENT", .path = "experiment", .wide_only = true},
      {.header = "USER", .path = "user", .wide_only = true},
      {.header = "ATTEMPTS", .path = "attempts", .right = true, .wide_only = true},
      {.header = "RANKS", .path = "ranks", .right = true, .wide_only = true},
      {.header = "PRIORITY", .path = "priority", .right = true, .wide_only = true},
      {.header = "SUBMITTED",
       .path = "submitted",
       .text = [zone](const Message& row) { return LocalTime(RunOf(row).submitted(), zone); },
       .wide_only = true},
      {.header = "ENDED",
       .path = "ended",
       .text = [zone](const Message& row) { return LocalTime(RunOf(row).ended(), zone); },
       .wide_only = true},
      {.header = "REASON", .path = "reason", .wide_only = true},
  };
}

Listing RunListing(const std::vector<v1::Run>& runs, absl::TimeZone zone) {
  Listing listing;
  listing.type = v1::Run::descriptor();
  listing.columns = RunColumns(zone);
  listing.none = "no runs";
  for (const v1::Run& run : runs) listing.rows.push_back(&run);
  return listing;
}

}  // namespace ddl::cli
