// The folders of ranks below a worker's state folder, and checkpoint folders below its checkpoint
// root. Every path is built from ids that were checked, never from names that a user wrote.
//
//   runs/<run>/e<epoch>/forgotten        the coordinator has dropped the attempt
//   runs/<run>/e<epoch>/r<rank>/         launch.pb, process, spool, log, log.sent
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/agent/host.h"

namespace ddl::agent {

class RunFolders {
 public:
  RunFolders(std::string state_folder, std::string checkpoint_root)
      : state_folder_(std::move(state_folder)), checkpoint_root_(std::move(checkpoint_root)) {}

  std::string FolderOf(const RankKey& rank) const;

  // Ranks with a readable launch file, without forgotten attempts. What is unreadable is skipped
  // and named in `remarks`.
  absl::StatusOr<std::vector<FoundRank>> Find(std::vector<std::string>* remarks) const;
  // Epochs of `run` that have a folder of rank 0 here, forgotten ones included, rising.
  std::vector<uint64_t> Epochs(const std::string& run) const;

  // Writes the launch file of a rank that has no recorded process; kAlreadyExists when it has one.
  absl::Status WriteLaunch(const v1::RankLaunch& launch) const;
  absl::Status RecordProcess(const RankKey& rank, const ProcessIdentity& process) const;

  // Ranks with a log that is not marked as sent, forgotten attempts included.
  std::vector<RankKey> UnsentLogs() const;
  absl::Status MarkLogSent(const RankKey& rank) const;

  absl::Status Forget(const AttemptKey& attempt) const;
  // Removes attempts that were forgotten before `before`.
  absl::Status RemoveForgotten(absl::Time before) const;

  // Removes <checkpoint root>/<deletion.folder>, manifest first. kInvalidArgument for a folder that
  // is not "<run>/e<epoch>/step-<n>" of the deletion's own run and step; kFailedPrecondition when
  // a part of the path is a link.
  absl::Status DeleteCheckpoint(const v1::CheckpointDeletion& deletion) const;

 private:
  std::string AttemptFolder(const AttemptKey& attempt) const;
  absl::StatusOr<FoundRank> ReadRank(const RankKey& rank) const;
  // The attempts that have a folder here.
  std::vector<AttemptKey> Attempts() const;

  std::string state_folder_;
  std::string checkpoint_root_;
};

// The text of a `process` file and back: pid, start ticks and boot id with spaces between.
std::string FormatProcess(const ProcessIdentity& process);
absl::StatusOr<ProcessIdentity> ParseProcess(const std::string& text);

}  // namespace ddl::agent
