// How runs are shown to people, by every verb that shows some.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/output.h"
#include "proto/ddl/v1/experiments.pb.h"

namespace ddl::cli {

// The columns of `ddl ls`.
std::vector<Column> RunColumns(absl::TimeZone zone);

Listing RunListing(const std::vector<v1::Run>& runs, absl::TimeZone zone);

// "12.4M/20.0M", and tokens per active second.
std::string ProgressText(const v1::Run& run);
std::string SpeedText(const v1::Run& run);
// Remaining active time at the run's mean speed; "-" unless it is running.
std::string RemainingText(const v1::Run& run);
// One line for a log: "k3v9x2mq  tiny-0  running  1.2M/2.0M  loss 3.1234".
std::string RunLine(const v1::Run& run);

}  // namespace ddl::cli
