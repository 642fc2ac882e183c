// What a rank runs on, and how LibTorch is set up so that equal machines give equal bits.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddl {

// Deterministic algorithms, a fixed number of threads. Once, before any tensor work.
void PrepareTorch(int64_t threads);

// "cpu" or "cuda:N". kInvalidArgument otherwise, or for a GPU that this build or host has not.
absl::StatusOr<at::Device> ParseDevice(absl::string_view name);

// What checkpoints remember: the CPU's or GPU's model name.
std::string DeviceModel(at::Device device);

// "cpu" or the GPU's UUID.
std::string DeviceId(at::Device device);

// LibTorch's version and the instruction set that its kernels use here.
std::string LibraryVersions();

}  // namespace ddl
