// What a GPU could do at most, for the utilization of its arithmetic (MFU).
#pragma once

#include <optional>

#include "absl/strings/string_view.h"

namespace ddl {

// Dense bf16 tensor-core FLOP/s of the GPU whose model name (DeviceModel) is `model`, from
// NVIDIA's data sheets; nothing for CPUs and GPUs that are not listed. The same peak whatever
// precision a run computes in, as is usual for MFU.
std::optional<double> PeakFlopsPerSecond(absl::string_view model);

}  // namespace ddl
