#include "worker/train/device_peak.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"

namespace ddl {
namespace {

// The first whose words the model name contains counts, so that a PCIe card stands before the
// others of its kind.
struct Peak {
  absl::string_view words;
  double flops_per_second;
};
constexpr Peak kPeaks[] = {
    {"A100", 312e12},           {"H100 PCIe", 756e12}, {"H100 NVL", 835e12},
    {"H100 80GB HBM3", 989e12}, {"H200 NVL", 836e12},  {"H200", 989e12},
};

}  // namespace

std::optional<double> PeakFlopsPerSecond(absl::string_view model) {
  const auto* const found =
      std::find_if(std::begin(kPeaks), std::end(kPeaks),
                   [&](const Peak& peak) { return absl::StrContains(model, peak.words); });
  if (found == std::end(kPeaks)) return std::nullopt;
  return found->flops_per_second;
}

}  // namespace ddl
