#include "worker/train/environment.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/headeronly/version.h>

#ifdef USE_C10D_NCCL
#include <ATen/cuda/CUDAContext.h>
#endif

#include <cstdlib>
#include <fstream>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace ddl {
namespace {

std::string CpuModel() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown CPU";
}

}  // namespace

void PrepareTorch(int64_t threads) {
  // cuBLAS is deterministic only with a workspace of its own; read when CUDA starts.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/1);
  at::set_num_threads(static_cast<int>(threads));
  at::set_num_interop_threads(1);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  // Only hides reads of memory that nobody wrote, at the price of writing it all.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
}

absl::StatusOr<at::Device> ParseDevice(absl::string_view name) {
  if (name == "cpu") return at::Device(at::kCPU);
  int index = -1;
  absl::string_view number = name;
  if (!absl::ConsumePrefix(&number, "cuda:") || !absl::SimpleAtoi(number, &index) || index < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("device must be cpu or cuda:N, got \"", name, "\""));
  }
#ifdef USE_C10D_NCCL
  if (index < at::cuda::device_count()) {
    return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
  }
  return absl::InvalidArgumentError(absl::StrCat("device must be one of this host's ",
                                                 at::cuda::device_count(), " GPUs, got ", name));
#else
  return absl::InvalidArgumentError(
      absl::StrCat("device must be cpu, because this build has no CUDA; got ", name));
#endif
}

std::string DeviceModel(at::Device device) {
#ifdef USE_C10D_NCCL
  if (device.is_cuda()) return at::cuda::getDeviceProperties(device.index())->name;
#endif
  return device.is_cpu() ? CpuModel() : device.str();
}

std::string DeviceId(at::Device device) {
#ifdef USE_C10D_NCCL
  if (device.is_cuda()) {
    const auto& uuid = at::cuda::getDeviceProperties(device.index())->uuid.bytes;
    const absl::string_view bytes(uuid, sizeof uuid);
    const std::string hex = absl::BytesToHexString(bytes);
    return absl::StrCat("GPU-", hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4),
                        "-", hex.substr(16, 4), "-", hex.substr(20));
  }
#endif
  return device.str();
}

std::string LibraryVersions() {
  return absl::StrCat("torch ", TORCH_VERSION, ", cpu ", at::get_cpu_capability());
}

}  // namespace ddl
