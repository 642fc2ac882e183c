// Run folders on this machine: what `ddl local` writes and a worker keeps for each rank. Read-only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/ddl/v1/events.pb.h"
#include "proto/ddl/v1/launch.pb.h"
#include "proto/ddl/v1/metrics.pb.h"

namespace ddl::cli {

struct RunFolder {
  std::string path;  // The folder of rank 0, where launch.pb lies.
  v1::RankLaunch launch;
  std::map<std::string, std::vector<v1::Point>> series;  // By series key, in order of step.
  std::optional<v1::RankStarted> started;
  std::optional<v1::RankExited> exited;
  std::vector<v1::RunNotice> notices;
};

// Whether `word` is a folder with rank 0's launch.pb, in itself or in its r0.
bool IsRunFolder(const std::string& word);

// kNotFound without a launch.pb; kDataLoss for a damaged spool, naming the offset.
absl::StatusOr<RunFolder> ReadRunFolder(const std::string& folder);

// Adds one event to what is known of the run.
void AddEvent(const v1::RankEvent& event, uint32_t attempt, RunFolder* folder);

}  // namespace ddl::cli
