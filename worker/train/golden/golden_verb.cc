#include "worker/train/golden/golden_verb.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "common/flags.h"
#include "common/status.h"
#include "worker/train/golden/golden_file.h"
#include "worker/train/golden/golden_muon.h"
#include "worker/train/golden/golden_run.h"

namespace ddl {
namespace {

constexpr int kOverTolerance = 1;
constexpr int kNoReference = 2;
constexpr size_t kMostFiles = 10000;

struct Outcome {
  std::string path;
  std::string variant;
  absl::Status status;
  std::vector<GroupError> groups;

  bool Ok() const {
    return status.ok() && std::all_of(groups.begin(), groups.end(),
                                      [](const GroupError& group) { return group.Ok(); });
  }
};

Outcome Check(const std::string& path) {
  Outcome outcome{.path = path};
  const absl::StatusOr<GoldenFile> file = ReadGoldenFile(path);
  if (!file.ok()) {
    outcome.status = file.status();
    return outcome;
  }
  const bool muon = IsGoldenMuon(*file);
  outcome.variant = muon ? "muon" : file->Text("variant").value_or("");
  absl::StatusOr<std::vector<GroupError>> groups =
      muon ? RunGoldenMuon(*file) : RunGoldenModel(*file);
  if (groups.ok()) {
    outcome.groups = *std::move(groups);
  } else {
    outcome.status = Annotate(groups.status(), path);
  }
  return outcome;
}

// Names of tensors may hold any byte; an error stays one line of text.
std::string OneLine(absl::string_view message) {
  std::string line(message);
  std::replace_if(line.begin(), line.end(), &absl::ascii_iscntrl, '?');
  return line;
}

void PrintTable(const Outcome& outcome, std::ostream& out) {
  if (!outcome.status.ok()) return;
  out << outcome.path << ": " << outcome.variant << ": " << (outcome.Ok() ? "ok" : "over tolerance")
      << "\n";
  for (const GroupError& group : outcome.groups) {
    out << absl::StrFormat("  %-16s %-9.2e %s %-9.2e %s\n", group.group, group.error,
                           group.Ok() ? "<=" : "> ", group.tolerance, group.tensor);
  }
}

nlohmann::json JsonOf(const Outcome& outcome) {
  nlohmann::json file = {{"file", outcome.path}, {"ok", outcome.Ok()}};
  if (!outcome.status.ok()) {
    file["error"] = std::string(outcome.status.message());
    return file;
  }
  file["variant"] = outcome.variant;
  file["groups"] = nlohmann::json::array();
  for (const GroupError& group : outcome.groups) {
    nlohmann::json row = {{"group", group.group},
                          {"tolerance", group.tolerance},
                          {"tensor", group.tensor},
                          {"ok", group.Ok()}};
    row["error"] = std::isfinite(group.error) ? nlohmann::json(group.error) : nlohmann::json();
    file["groups"].push_back(std::move(row));
  }
  return file;
}

}  // namespace

int GoldenVerb(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& error) {
  bool json = false;
  Flags flags("ddl-rank", "golden FILE... [--json]", "Holds this build to reference files.");
  flags.Bool("json", "Print one JSON object.", &json);
  flags.Words(kMostFiles);
  absl::Status status = flags.Parse(arguments);
  if (status.ok() && flags.words().empty()) {
    status = absl::InvalidArgumentError("golden needs at least one file");
  }
  if (!status.ok()) {
    error << "ddl-rank: " << status.message() << "\n";
    return kNoReference;
  }
  int code = 0;
  nlohmann::json all = {{"files", nlohmann::json::array()}};
  for (const std::string& path : flags.words()) {
    const Outcome outcome = Check(path);
    if (!outcome.status.ok()) error << "ddl-rank: " << OneLine(outcome.status.message()) << "\n";
    code = std::max(code, outcome.Ok() ? 0 : outcome.status.ok() ? kOverTolerance : kNoReference);
    if (json) {
      all["files"].push_back(JsonOf(outcome));
    } else {
      PrintTable(outcome, out);
    }
  }
  all["ok"] = code == 0;
  if (json) out << all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  return code;
}

}  // namespace ddl
