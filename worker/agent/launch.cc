#include "worker/agent/launch.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::agent {
namespace {

absl::StatusOr<uint32_t> SlotOf(const v1::DesiredAttempt& desired, uint32_t rank,
                                const LaunchSettings& settings) {
  for (const v1::RankAssignment& assignment : desired.ranks()) {
    if (assignment.rank() != rank) continue;
    if (assignment.slot() < settings.devices.size()) return assignment.slot();
    return absl::InvalidArgumentError(absl::StrCat("slot ", assignment.slot(),
                                                   " does not exist: this worker has ",
                                                   settings.devices.size(), " slots"));
  }
  return absl::InvalidArgumentError(absl::StrCat("rank ", rank, " is not assigned to this worker"));
}

absl::StatusOr<std::string> DataFolder(const std::string& path, const std::string& root) {
  DDL_RETURN_IF_ERROR(CheckPath(path));
  if (absl::StartsWith(path, "/")) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.path must be relative to the worker's data root, got ", Quoted(path)));
  }
  return absl::StrCat(root, "/", path);
}

}  // namespace

std::string RankFolder(const std::string& state_folder, const RankKey& rank) {
  return absl::StrCat(state_folder, "/runs/", ToString(rank));
}

std::string AttemptCheckpointFolder(const std::string& checkpoint_root, const AttemptKey& key) {
  return absl::StrCat(checkpoint_root, "/", ToString(key));
}

std::string LeaseFile(const std::string& state_folder) {
  return absl::StrCat(state_folder, "/lease");
}

absl::StatusOr<v1::RankLaunch> MakeLaunch(const v1::DesiredAttempt& desired, uint32_t rank,
                                          const std::string& rendezvous_host,
                                          uint32_t rendezvous_port,
                                          const LaunchSettings& settings) {
  if (!IsId(desired.run())) {
    return absl::InvalidArgumentError(absl::StrCat("run must be an id of ", kIdLength,
                                                   " characters, got ", Quoted(desired.run())));
  }
  const RankKey key{{desired.run(), desired.epoch()}, rank};
  v1::RankLaunch launch;
  launch.set_run(desired.run());
  launch.set_epoch(desired.epoch());
  launch.set_attempt(desired.attempt());
  launch.set_rank(rank);
  launch.set_world_size(desired.world_size());
  *launch.mutable_spec() = desired.spec();
  launch.set_rank_folder(RankFolder(settings.state_folder, key));
  launch.set_attempt_checkpoint_folder(
      AttemptCheckpointFolder(settings.checkpoint_root, key.attempt));
  launch.set_checkpoint_root(settings.checkpoint_root);
  *launch.mutable_checkpoints() = desired.checkpoints();
  DDL_ASSIGN_OR_RETURN(const std::string data_folder,
                       DataFolder(desired.spec().data().path(), settings.data_root));
  launch.set_data_folder(data_folder);
  if (desired.world_size() > 1) {
    launch.set_rendezvous_host(rendezvous_host);
    launch.set_rendezvous_port(rendezvous_port);
  }
  launch.set_bind_address(settings.data_address);
  DDL_ASSIGN_OR_RETURN(const uint32_t slot, SlotOf(desired, rank, settings));
  launch.set_slot(slot);
  launch.set_device(settings.devices[slot]);
  launch.set_lease_file(LeaseFile(settings.state_folder));
  launch.set_orphan_ttl_seconds(settings.orphan_ttl_seconds);
  return launch;
}

}  // namespace ddl::agent
