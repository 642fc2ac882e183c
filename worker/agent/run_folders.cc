#include "worker/agent/run_folders.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/files.h"
#include "common/names.h"
#include "common/status.h"
#include "worker/agent/launch.h"

namespace ddl::agent {
namespace {

constexpr int64_t kMaxLaunchBytes = 16 << 20;
constexpr int64_t kMaxProcessBytes = 1024;

// The number behind `prefix`; nullopt unless the name is exactly what we would write for it.
std::optional<uint64_t> NumberIn(const std::string& name, absl::string_view prefix) {
  absl::string_view digits = name;
  uint64_t number = 0;
  if (!absl::ConsumePrefix(&digits, prefix) || !absl::SimpleAtoi(digits, &number) ||
      absl::StrCat(prefix, number) != name) {
    return std::nullopt;
  }
  return number;
}

std::vector<std::string> NamesIn(const std::string& folder) {
  absl::StatusOr<std::vector<std::string>> names = ListFolder(folder);
  return names.ok() ? *std::move(names) : std::vector<std::string>();
}

absl::Status CheckIsFolder(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return ErrnoStatus("cannot stat", path);
  if (!S_ISDIR(status.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not a folder"));
  }
  return absl::OkStatus();
}

absl::Status CheckDeletion(const v1::CheckpointDeletion& deletion) {
  const std::vector<std::string> parts = absl::StrSplit(deletion.folder(), '/');
  const bool good = parts.size() == 3 && IsId(parts[0]) && parts[0] == deletion.run() &&
                    NumberIn(parts[1], "e") && parts[2] == absl::StrCat("step-", deletion.step()) &&
                    deletion.step() >= 0;
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a checkpoint of run ", Quoted(deletion.run()), " and step ", deletion.step(),
                   " must be in RUN/eEPOCH/step-STEP, got ", Quoted(deletion.folder())));
}

}  // namespace

std::string FormatProcess(const ProcessIdentity& process) {
  return absl::StrCat(process.pid, " ", process.start_ticks, " ", process.boot_id, "\n");
}

absl::StatusOr<ProcessIdentity> ParseProcess(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(absl::StripAsciiWhitespace(text), ' ');
  ProcessIdentity process;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &process.pid) || process.pid <= 0 ||
      !absl::SimpleAtoi(parts[1], &process.start_ticks)) {
    return absl::DataLossError(absl::StrCat(
        "a process file must hold a pid, a start time and a boot id, got ", Quoted(text)));
  }
  process.boot_id = parts[2];
  return process;
}

std::string RunFolders::FolderOf(const RankKey& rank) const {
  return RankFolder(state_folder_, rank);
}

std::string RunFolders::AttemptFolder(const AttemptKey& attempt) const {
  return absl::StrCat(state_folder_, "/runs/", ToString(attempt));
}

std::vector<AttemptKey> RunFolders::Attempts() const {
  std::vector<AttemptKey> attempts;
  for (const std::string& run : NamesIn(absl::StrCat(state_folder_, "/runs"))) {
    if (!IsId(run)) continue;
    for (const std::string& name : NamesIn(absl::StrCat(state_folder_, "/runs/", run))) {
      if (const auto epoch = NumberIn(name, "e")) attempts.push_back({run, *epoch});
    }
  }
  return attempts;
}

absl::StatusOr<FoundRank> RunFolders::ReadRank(const RankKey& rank) const {
  const std::string folder = FolderOf(rank);
  FoundRank found;
  found.key = rank;
  DDL_ASSIGN_OR_RETURN(const std::string launch,
                       ReadFile(absl::StrCat(folder, "/launch.pb"), kMaxLaunchBytes));
  if (!found.launch.ParseFromString(launch)) {
    return absl::DataLossError(absl::StrCat(folder, "/launch.pb is no launch file"));
  }
  const absl::StatusOr<std::string> text =
      ReadFile(absl::StrCat(folder, "/process"), kMaxProcessBytes);
  if (absl::IsNotFound(text.status())) return found;
  if (!text.ok()) return text.status();
  DDL_ASSIGN_OR_RETURN(found.process, ParseProcess(*text));
  return found;
}

absl::StatusOr<std::vector<FoundRank>> RunFolders::Find(std::vector<std::string>* remarks) const {
  std::vector<FoundRank> ranks;
  for (const AttemptKey& attempt : Attempts()) {
    const std::string folder = AttemptFolder(attempt);
    if (FileExists(absl::StrCat(folder, "/forgotten"))) continue;
    for (const std::string& name : NamesIn(folder)) {
      const auto number = NumberIn(name, "r");
      if (!number) continue;
      absl::StatusOr<FoundRank> rank = ReadRank({attempt, static_cast<uint32_t>(*number)});
      if (rank.ok()) {
        ranks.push_back(*std::move(rank));
      } else {
        remarks->push_back(std::string(rank.status().message()));
      }
    }
  }
  return ranks;
}

std::vector<uint64_t> RunFolders::Epochs(const std::string& run) const {
  std::vector<uint64_t> epochs;
  for (const AttemptKey& attempt : Attempts()) {
    if (attempt.run == run && FileExists(absl::StrCat(FolderOf({attempt, 0}), "/process"))) {
      epochs.push_back(attempt.epoch);
    }
  }
  std::sort(epochs.begin(), epochs.end());
  return epochs;
}

absl::Status RunFolders::WriteLaunch(const v1::RankLaunch& launch) const {
  const std::string folder = FolderOf({{launch.run(), launch.epoch()}, launch.rank()});
  if (FileExists(absl::StrCat(folder, "/process"))) {
    return absl::AlreadyExistsError(
        absl::StrCat("rank ", launch.rank(), " of epoch ", launch.epoch(), " was started before"));
  }
  DDL_RETURN_IF_ERROR(MakeFolders(folder));
  return WriteFileAtomically(absl::StrCat(folder, "/launch.pb"), launch.SerializeAsString());
}

absl::Status RunFolders::RecordProcess(const RankKey& rank, const ProcessIdentity& process) const {
  return WriteFileAtomically(absl::StrCat(FolderOf(rank), "/process"), FormatProcess(process));
}

std::vector<RankKey> RunFolders::UnsentLogs() const {
  std::vector<RankKey> ranks;
  for (const AttemptKey& attempt : Attempts()) {
    for (const std::string& name : NamesIn(AttemptFolder(attempt))) {
      const auto number = NumberIn(name, "r");
      if (!number) continue;
      const RankKey rank{attempt, static_cast<uint32_t>(*number)};
      const std::string log = absl::StrCat(FolderOf(rank), "/log");
      if (FileExists(log) && !FileExists(absl::StrCat(log, ".sent"))) ranks.push_back(rank);
    }
  }
  return ranks;
}

absl::Status RunFolders::MarkLogSent(const RankKey& rank) const {
  const std::string folder = FolderOf(rank);
  if (!FileExists(folder)) return absl::OkStatus();
  return WriteFileAtomically(absl::StrCat(folder, "/log.sent"), "");
}

absl::Status RunFolders::Forget(const AttemptKey& attempt) const {
  const std::string folder = AttemptFolder(attempt);
  if (!FileExists(folder)) return absl::OkStatus();
  return WriteFileAtomically(absl::StrCat(folder, "/forgotten"), "");
}

absl::Status RunFolders::RemoveForgotten(absl::Time before) const {
  for (const AttemptKey& attempt : Attempts()) {
    const std::string folder = AttemptFolder(attempt);
    struct stat status {};
    if (lstat(absl::StrCat(folder, "/forgotten").c_str(), &status) != 0) continue;
    if (absl::TimeFromTimespec(status.st_mtim) >= before) continue;
    DDL_RETURN_IF_ERROR(RemoveTree(folder));
    rmdir(absl::StrCat(state_folder_, "/runs/", attempt.run).c_str());  // If it was the last.
  }
  return absl::OkStatus();
}

absl::Status RunFolders::DeleteCheckpoint(const v1::CheckpointDeletion& deletion) const {
  DDL_RETURN_IF_ERROR(CheckDeletion(deletion));
  std::string path = checkpoint_root_;
  for (const absl::string_view part : absl::StrSplit(deletion.folder(), '/')) {
    absl::StrAppend(&path, "/", part);
    const absl::Status status = CheckIsFolder(path);
    if (absl::IsNotFound(status)) return absl::OkStatus();
    DDL_RETURN_IF_ERROR(status);
  }
  // Without a manifest the folder is no checkpoint, so a half-done removal leaves none behind.
  if (unlink(absl::StrCat(path, "/manifest.pb").c_str()) != 0 && errno != ENOENT) {
    return ErrnoStatus("cannot remove the manifest of", path);
  }
  return RemoveTree(path);
}

}  // namespace ddl::agent
