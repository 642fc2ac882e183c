// A comparison as people read it: one row for each arm, one column for each place on the axis.
#pragma once

#include <string>

#include "cli/output.h"
#include "proto/ddl/v1/metrics.pb.h"

namespace ddl::cli {

// "8.00M", "2.10k", "35.2s", "1.20P": a place on the axis `x`.
std::string PlaceOnAxis(const std::string& x, double at);

// "4.1931 ± 0.0046"; without the interval for a single seed.
std::string MeanText(const v1::Arm& arm);
// "-0.0260 ± 0.0090"; "-" for the baseline and where no seeds pair.
std::string DifferenceText(const v1::Arm& arm);

std::string ComparisonText(const v1::Comparison& comparison, const Arguments& arguments);

}  // namespace ddl::cli
