// GPUs through NVIDIA's management library, opened at run time: nothing is needed to build, and a
// host without it simply has no GPUs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ddl::agent {

struct Gpu {
  std::string uuid;
  std::string model;
  std::string driver;
  uint64_t memory_bytes = 0;
};

// One reading. What a GPU does not tell is absent.
struct GpuReading {
  std::optional<double> utilization_ratio;
  std::optional<uint64_t> memory_used_bytes;
  std::optional<double> power_watts;
  std::optional<double> temperature_celsius;
  std::optional<double> sm_clock_hertz;
  std::optional<double> energy_joules;
  std::optional<uint64_t> ecc_corrected;
  std::optional<uint64_t> ecc_uncorrected;
};

class Nvml {
 public:
  // kNotFound when the library is not there; kUnavailable when it finds no driver.
  static absl::StatusOr<std::unique_ptr<Nvml>> Open(
      const std::string& library = "libnvidia-ml.so.1");
  ~Nvml();

  const std::vector<Gpu>& gpus() const { return gpus_; }  // By index.
  GpuReading Read(size_t index) const;

 private:
  struct Functions;
  Nvml();
  absl::Status List();

  std::unique_ptr<Functions> functions_;
  std::vector<void*> devices_;
  std::vector<Gpu> gpus_;
};

}  // namespace ddl::agent
