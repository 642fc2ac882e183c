// Makes a rank's launch file from the coordinator's wish and this worker's settings: pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/ddl/v1/launch.pb.h"
#include "proto/ddl/v1/workers.pb.h"
#include "worker/agent/attempt.h"

namespace ddl::agent {

struct LaunchSettings {
  std::string state_folder;  // Absolute, as the other folders.
  std::string data_root;
  std::string checkpoint_root;
  std::string data_address = "127.0.0.1";
  std::vector<std::string> devices = {"cpu"};  // By slot index.
  double orphan_ttl_seconds = 3600;
};

// `runs/<run>/e<epoch>/r<rank>` below the state folder.
std::string RankFolder(const std::string& state_folder, const RankKey& rank);
// `<run>/e<epoch>` below the checkpoint root.
std::string AttemptCheckpointFolder(const std::string& checkpoint_root, const AttemptKey& key);
std::string LeaseFile(const std::string& state_folder);

// kInvalidArgument for a run that is no id, a rank that is not this worker's, a slot it does not
// have or a data path outside the data root.
absl::StatusOr<v1::RankLaunch> MakeLaunch(const v1::DesiredAttempt& desired, uint32_t rank,
                                          const std::string& rendezvous_host,
                                          uint32_t rendezvous_port, const LaunchSettings& settings);

}  // namespace ddl::agent
